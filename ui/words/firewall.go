package words

import "porthole/monitor"

// Firewall describes what the firewall does with connections from other machines; "" if it was
// not asked.
func Firewall(f monitor.Firewall) string {
	if f.State == "" {
		return ""
	}
	return Sentence(f.Sentence())
}
