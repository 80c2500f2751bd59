# MotoReach. `make demo` to see it, `make test` before a change goes in, the same here and in CI.
# What is missing on this machine is installed first, or asked for in a sentence (.ci/setup).

.PHONY: demo build check test prove clean arm cross dist
.PHONY: ready ready-to-test web rust-tests program contract e2e

# One step after the other: each needs what the one before it made.
.NOTPARALLEL:

# build.rs embeds what the rule for web/dist made; it need not look at the sources again.
export MOTOREACH_WEB_DIST := prebuilt

WEB_SOURCES := $(shell find web/src web/public web/scripts -type f 2>/dev/null) \
	$(wildcard web/*.json web/*.ts web/*.js web/*.html)
# A Python of its own for the contract tests; the file says that it has what they need.
PYTHON := target/contract/bin/python
PYTHON_READY := target/contract/ready
# What is shipped; cross.toml says the same.
CROSS_TARGETS := aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf x86_64-unknown-linux-musl
# nextest where it is there: it runs test binaries side by side.
RUST_TESTS := $(if $(shell command -v cargo-nextest),nextest run,test --lib --bins --tests)

# A sample workshop in a browser; Ctrl-C ends it and leaves nothing behind.
demo: ready web/dist/index.html
	cargo run --release -- demo

# The program, in target/release/motoreach.
build: ready web/dist/index.html
	cargo build --release

# Everything that can be known without running it.
check: ready web/dist/index.html
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --document-private-items
	cd web && npm run check && npm run lint

# Everything. Under 45 minutes on two cores from nothing.
test: ready-to-test check web rust-tests contract e2e arm

web: web/node_modules/.package-lock.json
	cd web && npm test

rust-tests: web/dist/index.html
	cargo $(RUST_TESTS)
	cargo test --doc

# The program that the Rust tests used: the same build, so this is quick after them.
program: web/dist/index.html
	cargo test --no-run

# The original contract, spoken by a client that is none of ours.
contract: program $(PYTHON_READY)
	cd tests/contract && ../../$(PYTHON) -B -m unittest --verbose

# Real Chromium against the real binary.
e2e: program tests/e2e/node_modules/.package-lock.json
	cd tests/e2e && npm test

# The program for a Raspberry Pi (64 bits), static, and a conversation with it on an emulated processor.
# Needs no container: Debian's own compiler (.ci/static).
arm: ready-to-test web/dist/index.html
	@sh .ci/setup static arm64
	.ci/static/build arm64
	MOTOREACH_ARM_BINARY=$(CURDIR)/target/static/arm64/motoreach \
		cargo test --test processes arm:: -- --ignored --nocapture

# What a release is made of, in dist/: programs, Debian packages, checksums, a bill of materials.
dist: ready web/dist/index.html
	.ci/dist

# The programs for each kind of computer, where `cross` and containers are.
cross: web/dist/index.html
	for target in $(CROSS_TARGETS); do \
		CROSS_CONFIG=cross.toml cross build --locked --profile dist --target $$target || exit; \
	done

# The long run: 10,000 kills under load (quality.md R1), 10,000 power cuts (R2), a backlog of 100,000 entries, 10,000 owners at once.
# Hours.
prove: ready-to-test web/dist/index.html
	MOTOREACH_BACKLOG=100000 cargo test --release --test processes -- --nocapture link::volume
	MOTOREACH_OWNERS=10000 cargo test --release --test processes -- --nocapture link::crowd
	MOTOREACH_KILLS=10000 cargo test --release --test processes -- --nocapture killed::
	MOTOREACH_POWER_CUTS=10000 cargo test --test processes -- --nocapture power::

clean:
	cargo clean
	rm -rf dist web/dist web/node_modules tests/e2e/node_modules

ready:
	@sh .ci/setup build

ready-to-test:
	@sh .ci/setup test

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run build
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
	@touch $@

$(PYTHON_READY): tests/contract/requirements.txt
	python3 -m venv target/contract
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
