// Package bench measures the monitor and other ways to list listening sockets.
// "make bench" runs it (packaging/bench.sh); it has only tests, with the build tag
// bench.
package bench
