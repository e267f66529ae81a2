// Package answers holds only tests: table, finder and monitor together answer
// right about the cases that are easy to get wrong, on the real kernel.
package integration
