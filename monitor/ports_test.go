package monitor

import (
	"slices"
	"strings"
	"testing"
)

func TestParsePorts(t *testing.T) {
	for _, test := range []struct {
		texts []string
		want  string // as Ports.String formats them
	}{
		{[]string{"62893"}, "62893"},
		{[]string{"1"}, "1"},
		{[]string{"65535"}, "65535"},
		{[]string{"0080"}, "80"},
		{[]string{"3000-3999"}, "3000-3999"},
		{[]string{"3000–3999"}, "3000-3999"}, // with an en dash
		{[]string{"7-7"}, "7"},
		{[]string{"80,443 8000-8999"}, "80, 443, 8000-8999"},
		{[]string{"443", "80; 81"}, "80-81, 443"},
		{[]string{"80,80"}, "80"},
		{[]string{"10-20,15-30,31,33"}, "10-31, 33"},
		{[]string{"1-65535,80"}, "1-65535"},
		{[]string{"65535,65534"}, "65534-65535"},
		{nil, ""},
	} {
		p, err := ParsePorts(test.texts...)
		if err != nil || p.String() != test.want {
			t.Errorf("ParsePorts(%q) = %q, %v; want %q", test.texts, p, err, test.want)
		}
	}
}

func TestParsePortsErrors(t *testing.T) {
	const number, order = "a port is a number from 1 to 65535", "a range goes from the lower port to the higher one"
	for text, want := range map[string]string{
		"":             `"": ` + number,
		" , ":          `",": ` + number,
		"0":            `"0": ` + number,
		"70000":        `"70000": ` + number,
		"65536":        `"65536": ` + number,
		"-1":           `"-1": ` + number,
		"+5":           `"+5": ` + number,
		"80-":          `"80-": ` + number,
		"1-2-3":        `"1-2-3": ` + number,
		"http":         `"http": ` + number,
		"0x50":         `"0x50": ` + number,
		"8_0":          `"8_0": ` + number,
		"80,http":      `"http": ` + number,
		"9-3":          `"9-3": ` + order,
		"80\x1b[31m":   `"80 [31m": ` + number,
		"80\n443":      `"80 443": ` + number,
		"1-99999":      `"1-99999": ` + number,
		"\xff":         `"": ` + number,
		"80 9-3 70000": `"9-3": ` + order,
	} {
		p, err := ParsePorts(text)
		if err == nil || err.Error() != want {
			t.Errorf("ParsePorts(%q) = %v, %v; want %s", text, p, err, want)
		}
	}
}

func TestPortsContainsAndSingle(t *testing.T) {
	p := Ports{{80, 80}, {3000, 3999}}
	for port, want := range map[uint16]bool{79: false, 80: true, 81: false, 2999: false, 3000: true, 3999: true, 4000: false} {
		if got := p.Contains(port); got != want {
			t.Errorf("%v contains %d = %t, want %t", p, port, got, want)
		}
	}
	if port, ok := (Ports{{80, 80}}).Single(); port != 80 || !ok {
		t.Errorf("Single of 80 = %d, %t; want 80, true", port, ok)
	}
	for _, p := range []Ports{nil, {{80, 81}}, {{80, 80}, {90, 90}}} {
		if port, ok := p.Single(); ok {
			t.Errorf("Single of %v = %d, want none", p, port)
		}
	}
}

func FuzzParsePorts(f *testing.F) {
	for _, seed := range []string{"62893", "80,443 8000-8999", "9-3", "3000–3999", "", "+5", "65535-65535,1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePorts(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("ParsePorts(%q): %q is not one clean line", text, err)
			}
			return
		}
		again, err := ParsePorts(p.String())
		if err != nil || !slices.Equal(again, p) {
			t.Errorf("ParsePorts(%q) = %v; parsed again: %v, %v", text, p, again, err)
		}
		for _, r := range p {
			if r.First == 0 || r.Last < r.First {
				t.Errorf("ParsePorts(%q) contains the range %d to %d", text, r.First, r.Last)
			}
		}
	})
}

func TestPortsWithout(t *testing.T) {
	for _, c := range []struct{ from, without, want string }{
		{"3000", "3000", ""},
		{"3000", "4000", "3000"},
		{"3000-3010", "3000,3005,3010", "3001-3004, 3006-3009"},
		{"3000-3010,4000", "2000-3002,3009-4000", "3003-3008"},
		{"1-65535", "80,65535", "1-79, 81-65534"},
	} {
		from, err := ParsePorts(c.from)
		if err != nil {
			t.Fatal(err)
		}
		without, err := ParsePorts(c.without)
		if err != nil {
			t.Fatal(err)
		}
		if got := from.Without(without); got.String() != c.want {
			t.Errorf("%s without %s: got %q, want %q", c.from, c.without, got, c.want)
		}
	}
	one := Ports{{First: 9, Last: 9}}
	if got := Union(one, Ports{{First: 1, Last: 2}}, Ports{{First: 3, Last: 3}}); got.String() != "1-3, 9" || one[0].First != 9 {
		t.Errorf("union: got %v", got)
	}
}
