// Package integration tests table, finder and monitor together on the real kernel, in
// the cases that are easy to get wrong. It has only tests.
package integration
