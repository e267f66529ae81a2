package words

import (
	"testing"

	"porthole/monitor/explain"
	"porthole/ui/uitest"
)

func TestGermanExplanation(t *testing.T) {
	uitest.InGerman(t)
	got := Explanation(uitest.Listening(80, "", 0, "0.0.0.0"), false, explain.System{})
	want := "0.0.0.0 steht für alle IPv4-Adressen dieses Rechners, im Loopback und in seinen Netzen. " +
		"Port 80 ist ein Systemport (well-known port, 0–1023). Diese Ports gehören zu Standarddiensten, und auf vielen Systemen kann nur die Systemverwaltung sie öffnen. " +
		"Der übliche Dienst auf diesem Port ist „HTTP“, aber jedes Programm kann ihn nutzen. " +
		"Ein Prozess von ada lauscht auf 0.0.0.0:80; welcher, kann Porthole nicht sehen. Aus dem Netz erreichbar: Andere Rechner können sich verbinden, sofern keine Firewall sie daran hindert."
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
