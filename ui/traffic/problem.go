package traffic

import (
	"strings"

	"fyne.io/fyne/v2/lang"
)

// problemText returns the problem of an exchange in the user's language. What a library
// reports as the reason stays in English.
func problemText(problem string) string {
	for known, text := range map[string]string{
		"No answer: the server closed the connection.":                                    lang.L("No answer: the server closed the connection."),
		"No answer: the client closed the connection.":                                    lang.L("No answer: the client closed the connection."),
		"No answer: the server broke the connection":                                      lang.L("No answer: the server broke the connection"),
		"No answer: the client broke the connection":                                      lang.L("No answer: the client broke the connection"),
		"The answer is incomplete: the server closed the connection.":                     lang.L("The answer is incomplete: the server closed the connection."),
		"The answer is incomplete: the client closed the connection.":                     lang.L("The answer is incomplete: the client closed the connection."),
		"The answer is incomplete: the server broke the connection":                       lang.L("The answer is incomplete: the server broke the connection"),
		"The answer is incomplete: the client broke the connection":                       lang.L("The answer is incomplete: the client broke the connection"),
		"The answer came before the whole request.":                                       lang.L("The answer came before the whole request."),
		"The request was not seen.":                                                       lang.L("The request was not seen."),
		"The beginning was not seen: the connection was open before, or bytes were lost.": lang.L("The beginning was not seen: the connection was open before, or bytes were lost."),
		"Bytes were lost, so the end is unknown.":                                         lang.L("Bytes were lost, so the end is unknown."),
		"Bytes were lost, so the messages that follow are shown as they are.":             lang.L("Bytes were lost, so the messages that follow are shown as they are."),
		"The connection was closed before the end.":                                       lang.L("The connection was closed before the end."),
		"The connection was closed within the message.":                                   lang.L("The connection was closed within the message."),
		"The message is compressed and could not be read":                                 lang.L("The message is compressed and could not be read"),
		"The handshake could not be read":                                                 lang.L("The handshake could not be read"),
		"Not decoded":                                                                     lang.L("Not decoded"),
		"Porthole could not decode this":                                                  lang.L("Porthole could not decode this"),
		"The server's side of the connection broke":                                       lang.L("The server's side of the connection broke"),
		"The client's side of the connection broke":                                       lang.L("The client's side of the connection broke"),
	} {
		if rest, ok := strings.CutPrefix(problem, known); ok {
			return text + rest
		}
	}
	return problem
}
