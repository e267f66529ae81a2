// Package workers tests how soon the Monitor knows all processes of servers that fork
// workers, with the real programs. It has only tests; they skip programs that are not
// installed, and need root for namespaces of their own.
//
//	PORTHOLE_STARTS=5 go test -v ./monitor/workers
package workers
