package monitor

import "testing"

func TestCheckHealthPath(t *testing.T) {
	for path, want := range map[string]string{
		"/": "", "/health": "", "/a/b?deep=1&x=%20": "", "//other.example/health": "", "/ä": "",
		"": pathRelative, "health": pathRelative, "http://192.0.2.1/health": pathURL, "https://localhost:3000/": pathURL,
		"/a b": pathSpace, "/a\tb": pathSpace, "/a\x1bb": pathSpace, "/\u202ea": pathSpace, "/a#b": pathSpace, "/\r\nHost: x": pathSpace, "/%zz": pathInvalid,
		"/" + string(make([]byte, maxHealthPath)): pathLong,
	} {
		got := ""
		if err := CheckHealthPath(path); err != nil {
			got = err.(SentenceError).Sentence.Text
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestHealthAnswer(t *testing.T) {
	for _, test := range []struct {
		answer    HealthAnswer
		text, say string
		healthy   bool
	}{
		{HealthAnswer{}, "", "HTTP 0", false},
		{HealthAnswer{Path: "/health", Status: 204}, "/health 204", "HTTP 204", true},
		{HealthAnswer{Path: "/", Status: 404}, "/ 404", "HTTP 404", true},
		{HealthAnswer{Path: "/", Status: 500}, "/ 500", "HTTP 500", false},
		{HealthAnswer{Path: "/", Failure: NoAnswer}, "/ no_answer", "no answer within 3 s", false},
		{HealthAnswer{Path: "/", Failure: "of the future"}, "/ of the future", "can't connect", false},
	} {
		if got := test.answer.Text(); got != test.text || ParseHealthAnswer(got) != test.answer {
			t.Errorf("%+v: got %q and back %+v, want %q", test.answer, got, ParseHealthAnswer(got), test.text)
		}
		if got := test.answer.Sentence().String(); got != test.say || test.answer.Healthy() != test.healthy {
			t.Errorf("%+v: got %q, healthy %v; want %q, %v", test.answer, got, test.answer.Healthy(), test.say, test.healthy)
		}
	}
}
