package words

import (
	"testing"

	"porthole/monitor/explain"
	"porthole/ui/uitest"
)

func TestAnExplanationInGerman(t *testing.T) {
	uitest.InGerman(t)
	got := Explanation(uitest.Listening(80, "", 0, "0.0.0.0"), false, explain.System{})
	want := "0.0.0.0 steht für jede IPv4-Adresse dieses Rechners: Loopback und die seiner Netze. " +
		"Port 80 ist wohlbekannt (0–1023): Solche Ports gehören Diensten, die dort jeder erwartet, und auf vielen Systemen kann nur der Administrator sie öffnen. " +
		"Sein üblicher Dienst ist „HTTP“, doch jeder andere kann ihn haben. " +
		"Ein Prozess von ada lauscht jetzt auf 0.0.0.0:80; welcher, ist von hier nicht zu sehen. Auch andere Rechner können ihn erreichen, sofern keine Firewall dazwischen ist."
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
