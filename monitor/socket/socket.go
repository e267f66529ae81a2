// Package socket reads the kernel's table of listening sockets from the best
// source that the system has; see Open. Each operating system has files of its
// own.
package socket
