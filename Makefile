# Porthole. On a new Debian or Ubuntu with Go, git and make, "make run" and "make test"
# do everything that is necessary. "make help" lists the other targets.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0)
BIN     := build/porthole

# All targets use the same tags and flags, because each other set is a cold build.
# gles: OpenGL ES, whose binding compiles in 37 s instead of 140 s.
# no_emoji: without the emoji font of 4 MB.
TAGS    := gles,no_emoji
# A position-independent program has 108,000 relocations at its start. Packed they take
# 40 KB instead of 2.6 MB of memory. The C library supports that since glibc 2.36.
PACKED  := $(shell getconf GNU_LIBC_VERSION 2>/dev/null | awk '$$1 == "glibc" && $$2 >= 2.36 {print "-extldflags=-Wl,-z,pack-relative-relocs"}')
FLAGS   := -trimpath -buildmode=pie -tags $(TAGS)
LDFLAGS := -s -w -X porthole/app.Version=$(VERSION) $(PACKED)

# The duration of each of the three measurements of "make cost".
OVER := 60s

# Not tools of go.mod: there staticcheck would raise the versions of golang.org/x/net and
# x/text, which are linked into the program.
STATICCHECK := v0.8.2
GOVULNCHECK := v1.9.0
NFPM        := v2.45.0

export CGO_ENABLED = 1
export TAGS

help: ## list the targets
	@awk -F': .*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: prerequisites build ## install missing packages, build, and run Porthole (on a virtual desktop if there is no display)
	@packaging/run.sh $(BIN)

build: check-prerequisites ## build build/porthole
	go build $(FLAGS) -ldflags '$(LDFLAGS)' -o $(BIN) .

test: prerequisites-test build ## install missing packages and run all tests
	@packaging/test.sh $(BIN)

bench: ## compare the monitor with other tools (30 minutes): build/bench.md, build/bench.svg and build/starts.md
	@packaging/bench.sh

bench-traffic: build ## compare a tap with mitmproxy, socat and nginx, and measure a capture (5 minutes): build/traffic.md
	@packaging/bench-traffic.sh $(BIN)

cost: build ## measure agent and window, each beside a minimal Fyne program (20 minutes; OVER=10s, ONLY=window)
	@packaging/prerequisites.sh desktop
	go build $(FLAGS) -ldflags '$(LDFLAGS)' -o build/bare ./e2e/bare
	go run -tags $(TAGS) ./e2e/cost -over $(OVER) -only "$(ONLY)" $(BIN) build/bare

test-long: package ## long tests of a minute each; the package on a clean Debian (as root)
	@packaging/test-package.sh
	@packaging/test-long.sh 1m

test-package: package ## install the packages on a clean Debian or Ubuntu (as root; SUITE=trixie, or SUITE=noble MIRROR=URL)
	@packaging/test-package.sh $(SUITE) $(MIRROR)

soak: ## the long tests with ten minutes of churn
	@packaging/test-long.sh 10m

test-servers: ## start 190 real servers of Debian, compare what Porthole shows: docs/servers.md (as root, hours; RUN=REGEXP)
	@packaging/test-servers.sh -run '$(RUN)'

test-desktops: package ## run the package on the desktops of Debian 12, look and click: docs/desktops.md (as root, an hour; DESKTOP=REGEXP, KEEP=1)
	@packaging/test-desktops.sh '$(DESKTOP)'

test-windows: package-windows ## build Porthole for Windows and test it under Wine
	@packaging/test-windows.sh

package-windows: ## build porthole.exe and portholew.exe and a zip of both (8 minutes the first time)
	@packaging/prerequisites.sh windows
	@packaging/package-windows.sh $(VERSION)

package: build ## build and check a .deb, an .rpm, an Arch package and a tar.gz; on a Mac Porthole.app (untested)
	@packaging/package.sh $(BIN) $(NFPM)

fuzz: ## fuzz every parser for a minute each
	@packaging/fuzz.sh

vet: ## gofmt; go vet for this system, and of packages without C for the others
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	go vet -tags $(TAGS) ./...
	go vet -tags $(TAGS),bench ./monitor/bench/
	CGO_ENABLED=0 GOOS=windows go vet . ./app/... ./ui/...
	@for os in windows darwin freebsd; do echo "GOOS=$$os go vet ./monitor/..."; CGO_ENABLED=0 GOOS=$$os go vet ./monitor/... || exit 1; done

lint: vet ## go vet, staticcheck, and govulncheck if its database can be reached
	GOBIN=$(CURDIR)/build go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK)
	build/staticcheck -tags $(TAGS),bench ./...
	CGO_ENABLED=0 GOOS=windows build/staticcheck . ./app/... ./ui/...
	@packaging/vulnerabilities.sh $(GOVULNCHECK)

check-prerequisites:
	@packaging/prerequisites.sh --check build

prerequisites:
	@packaging/prerequisites.sh build

prerequisites-test:
	@packaging/prerequisites.sh test

film: build ## film how a port opens and is stopped: build/film.gif
	@packaging/prerequisites.sh film
	@packaging/film.sh $(BIN) build/film.gif

pictures: ## write every page in both themes and languages, in several sizes and scales, to build/pictures
	PORTHOLE_PICTURES=$(CURDIR)/build/pictures CGO_ENABLED=0 go test -count 1 -run TestPictures ./ui/pictures

docs: ## write docs/command-line.md from the commands
	@CGO_ENABLED=0 go run ./packaging/man build/man
	cp build/man/command-line.md docs/

clean: ## remove build/
	rm -rf build

.PHONY: help run build package test test-package test-long soak test-servers test-desktops test-windows package-windows fuzz bench bench-traffic cost film pictures docs vet lint check-prerequisites prerequisites prerequisites-test clean
.NOTPARALLEL:
.DEFAULT_GOAL := help
