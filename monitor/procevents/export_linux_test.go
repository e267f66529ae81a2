package procevents

// ReadsStatusOfZero reports whether this kernel tells that a process ended with status 0.
func ReadsStatusOfZero() bool { return newPidfds().supported }
