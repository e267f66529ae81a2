# Porthole. "make run" and "make test" do everything on a fresh Debian or
# Ubuntu with Go, git and make; "make help" lists the rest.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0)
BIN     := build/porthole

# One set of tags and flags for everything: each other one is a cold build.
# gles: OpenGL ES, whose binding compiles in 37 s rather than 140 s.
# no_emoji: leaves out a font of 4 MB that no port needs.
TAGS    := gles,no_emoji
# A position-independent program has 108,000 addresses to be set at its start.
# Packed they are 40 KB to read rather than 2.6 MB, which stay in memory; the C
# library can do that from glibc 2.36 on.
PACKED  := $(shell getconf GNU_LIBC_VERSION 2>/dev/null | awk '$$1 == "glibc" && $$2 >= 2.36 {print "-extldflags=-Wl,-z,pack-relative-relocs"}')
FLAGS   := -trimpath -buildmode=pie -tags $(TAGS)
LDFLAGS := -s -w -X porthole/app.Version=$(VERSION) $(PACKED)

# How long make cost measures, three times.
OVER := 60s

# Run at these versions rather than as tools of go.mod: there staticcheck would
# raise golang.org/x/net and x/text, which are linked into the program.
STATICCHECK := v0.8.2
GOVULNCHECK := v1.9.0

export CGO_ENABLED = 1
export TAGS

help: ## list the targets
	@awk -F': .*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## install what is missing, build, and run Porthole (on a virtual desktop where there is none)
	@packaging/run.sh $(BIN)

build: prerequisites ## build build/porthole
	go build $(FLAGS) -ldflags '$(LDFLAGS)' -o $(BIN) .

test: prerequisites-test build vet ## install what the tests need and run them all
	@packaging/test.sh $(BIN)

bench: ## measure the monitor beside its rivals (10 minutes): build/bench.md and build/bench.svg
	@packaging/bench.sh

cost: build ## measure what agent and window cost, each beside a bare Fyne program (20 minutes; OVER=10s)
	@packaging/prerequisites.sh desktop
	go build $(FLAGS) -ldflags '$(LDFLAGS)' -o build/bare ./e2e/bare
	go run -tags $(TAGS) ./e2e/cost -over $(OVER) $(BIN) build/bare

test-long: package ## a minute of churn, a million looks, bad worlds; the package on a clean Debian (as root)
	@packaging/test-package.sh
	@packaging/test-long.sh 1m

soak: ## the same with ten minutes of churn
	@packaging/test-long.sh 10m

test-windows: package-windows ## build Porthole for Windows, and test under Wine what can be tested there
	@packaging/test-windows.sh

package-windows: ## build porthole.exe and portholew.exe with the window, and a zip of both (8 minutes the first time)
	@packaging/prerequisites.sh windows
	@packaging/package-windows.sh $(VERSION)

package: build ## build a .deb and a tar.gz with their checksums, and check them; on a Mac Porthole.app (untested)
	@packaging/package.sh $(BIN)

fuzz: ## fuzz every parser for a minute each
	@packaging/fuzz.sh

vet: ## gofmt, go vet for this system, of what needs no C for Windows, and of the monitor for the others
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "these files want gofmt -w"; exit 1; }
	go vet -tags $(TAGS) ./...
	go vet -tags $(TAGS),bench ./monitor/bench/
	CGO_ENABLED=0 GOOS=windows go vet . ./app/... ./ui/...
	@for os in windows darwin freebsd; do echo "GOOS=$$os go vet ./monitor/..."; CGO_ENABLED=0 GOOS=$$os go vet ./monitor/... || exit 1; done

lint: vet ## go vet, staticcheck, and govulncheck where its database can be reached
	GOBIN=$(CURDIR)/build go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK)
	build/staticcheck -tags $(TAGS),bench ./...
	CGO_ENABLED=0 GOOS=windows build/staticcheck . ./app/... ./ui/...
	@packaging/vulnerabilities.sh $(GOVULNCHECK)

prerequisites:
	@packaging/prerequisites.sh build

prerequisites-test:
	@packaging/prerequisites.sh test

film: build ## film how a port opens, is looked into and is stopped: build/film.gif
	@packaging/prerequisites.sh test
	@packaging/film.sh $(BIN) build/film.gif

pictures: ## leave every page in both themes, two sizes and two scales in build/pictures
	PORTHOLE_PICTURES=$(CURDIR)/build/pictures CGO_ENABLED=0 go test -count 1 -run TestPictures ./ui

docs: ## write docs/command-line.md anew, from the commands
	@CGO_ENABLED=0 go run ./packaging/man build/man
	cp build/man/command-line.md docs/

clean: ## remove build/
	rm -rf build

.PHONY: help run build package test test-long soak test-windows package-windows fuzz bench cost film pictures docs vet lint prerequisites prerequisites-test clean
.DEFAULT_GOAL := help
