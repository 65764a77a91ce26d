# infra: build, test and install. `make help` lists the targets.
# Two commands do everything on a fresh Debian 12: `make demo` and `make test`.

BUILD     ?= build
PREFIX    ?= /usr/local
SANITIZER ?=
VECTORS   ?= ../shared/vectors
SECONDS   ?= 60

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)

DEBIAN_PACKAGES := gcc make pkg-config git nodejs npm liblua5.4-dev libcurl4-openssl-dev libssl-dev libcjson-dev \
  libsqlite3-dev libexpat1-dev zlib1g-dev libedit-dev libmicrohttpd-dev lua5.4 lua-argparse lua-busted lua-check \
  clang-format cppcheck ca-certificates

# libcurl, libmicrohttpd and libedit are loaded when first used (host/lazy.h): together with what they depend on they
# would cost more than the whole of `infra version`.
LIBRARIES := lua5.4 sqlite3 expat zlib libcjson libcrypto
CFLAGS    ?= -O2 -g
WARNINGS  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wvla
CPPFLAGS   = -D_GNU_SOURCE $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LDLIBS     = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -ldl
ALL_CFLAGS = -std=c11 $(CFLAGS) $(WARNINGS) -fstack-protector-strong -fPIE
ALL_LDFLAGS = $(LDFLAGS) -pie -Wl,-z,relro,-z,now -rdynamic
, := ,
ifneq ($(SANITIZER),)
  override BUILD := $(BUILD)/$(subst $(,),-,$(SANITIZER))
  ALL_CFLAGS += -fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=undefined -DINFRA_SANITIZED
  ALL_LDFLAGS += -fsanitize=$(SANITIZER)
endif

C_SOURCES   := $(wildcard host/*.c)
OBJECTS     := $(C_SOURCES:host/%.c=$(BUILD)/%.o)
LUA_SOURCES := $(shell find lua -name '*.lua' -o -name '*.js' -o -name '*.yml')
MIGRATIONS  := $(sort $(wildcard state/*.sql))
NODE_DATA   := node_modules/.package-lock.json
INFRA       := $(BUILD)/infra

.DELETE_ON_ERROR:
.PHONY: all demo test spec recovery kill lint vectors bench fuzz install clean help deps FORCE

all: $(INFRA) ## build build/infra

# -- what a fresh machine lacks ---------------------------------------------------------------------------------------

deps: ## install missing Debian and npm packages (does nothing when all are there)
	@sh host/install-packages.sh $(DEBIAN_PACKAGES)

$(NODE_DATA): package-lock.json | deps
	@npm ci --silent || { echo "make: npm ci could not fetch AWS's data packages: is the npm registry reachable?" >&2; exit 1; }
	@touch $@

# -- the binary -------------------------------------------------------------------------------------------------------

# Rebuilds when the flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS)' > $@

$(BUILD)/version: FORCE
	@mkdir -p $(BUILD)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@

$(BUILD)/main.o: CPPFLAGS += -DINFRA_VERSION='"$(VERSION)"'
$(BUILD)/main.o: $(BUILD)/version

$(BUILD)/%.o: host/%.c $(BUILD)/flags | deps
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embedded.o: host/embed.sh $(LUA_SOURCES) $(MIGRATIONS) $(BUILD)/bootstrap $(BUILD)/flags | deps
	@host/embed.sh $(LUA_SOURCES) $(foreach sql,$(MIGRATIONS),state.$(basename $(notdir $(sql)))=$(sql)) \
	  bootstrap=$(BUILD)/bootstrap argparse=/usr/share/lua/5.4/argparse.lua > $(BUILD)/embedded.s
	$(CC) -c -o $@ $(BUILD)/embedded.s

# What a new Lambda function runs: alone in its image, so it brings its libraries, and the same whatever SANITIZER is.
$(BUILD)/bootstrap: $(wildcard bootstrap/*.[ch]) $(BUILD)/flags | deps
	$(CC) -D_GNU_SOURCE -std=c11 -Os $(WARNINGS) -fstack-protector-strong -static -s -o $@ $(filter %.c,$^)

$(BUILD)/models-none.o: host/models.S $(BUILD)/flags
	$(CC) -c -o $@ $<

$(BUILD)/models.o: host/models.S $(BUILD)/models.db
	$(CC) -DMODELS='"$(BUILD)/models.db"' -c -o $@ $<

# The first stage is the same program without AWS's data; it compiles that data.
$(BUILD)/infra-stage1: $(OBJECTS) $(BUILD)/embedded.o $(BUILD)/models-none.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/models.db: $(OBJECTS) $(wildcard lua/infra/models/*.lua) $(NODE_DATA) | $(BUILD)/infra-stage1
	INFRA_LUA=lua $(BUILD)/infra-stage1 exec lua/infra/models/build.lua node_modules $@

$(INFRA): $(OBJECTS) $(BUILD)/embedded.o $(BUILD)/models.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

-include $(OBJECTS:.o=.d)

# -- using it ---------------------------------------------------------------------------------------------------------

demo: $(INFRA) ## build the staging architecture on the simulated AWS
	$(INFRA) run stacks/staging.lua --sim --yes

test: lint spec ## everything: linters, then all specs

spec: $(INFRA) ## all specs (FILE=spec/x_spec.lua for one)
	$(INFRA) exec spec/run.lua $(FILE)

recovery: $(INFRA) ## crashes at every request and commit, every fault, many seeds (make test tries some)
	RECOVERY=full $(INFRA) exec spec/run.lua spec/engine/recovery_spec.lua spec/engine/faults_spec.lua

ROUNDS := 20
kill: $(INFRA) ## kills real runs on an emulator at random moments (ROUNDS=20)
	ROUNDS=$(ROUNDS) $(INFRA) exec spec/run.lua spec/kill_spec.lua

vectors: $(INFRA) ## AWS's public conformance cases: make vectors VECTORS=DIR
	$(INFRA) exec spec/vectors.lua $(VECTORS)

$(BUILD)/bench-libcurl: spec/bench/libcurl.c $(BUILD)/flags | deps
	$(CC) -D_GNU_SOURCE -std=c11 $(CFLAGS) $(WARNINGS) -o $@ $< $(shell pkg-config --cflags --libs libcurl)

bench: $(INFRA) $(BUILD)/bench-libcurl ## measurements, as ratios
	for name in architecture engine signing requests models; do $(INFRA) exec spec/bench/run.lua $$name || exit 1; done

# The driver is the host, instrumented, with libFuzzer's main instead of its own. Its Lua state is never closed, and
# LeakSanitizer would search all of it after every text.
FUZZ_CFLAGS := -std=c11 -g -O1 $(WARNINGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_OPTIONS := -max_len=65536 -timeout=10 -rss_limit_mb=2048 -detect_leaks=0 -verbosity=0 -print_final_stats=1

$(BUILD)/fuzz: spec/fuzz/driver.c $(C_SOURCES) $(wildcard host/*.h) $(BUILD)/embedded.o $(BUILD)/models.o
	@sh host/install-packages.sh clang libclang-rt-14-dev
	clang $(CPPFLAGS) $(FUZZ_CFLAGS) -rdynamic -o $@ $(filter-out host/main.c,$(filter %.c %.o,$^)) $(LDLIBS)

fuzz: $(INFRA) $(BUILD)/fuzz ## libFuzzer on the decoders (SECONDS=60 each, TARGET=json for one)
	@$(INFRA) exec spec/fuzz/seeds.lua $(BUILD)/corpus
	@for target in $(or $(TARGET),$$(ls $(BUILD)/corpus)); do \
	  echo "fuzzing $$target for $(SECONDS) s"; \
	  FUZZ_TARGET=$$target $(BUILD)/fuzz $(FUZZ_OPTIONS) -max_total_time=$(SECONDS) \
	    -artifact_prefix=$(BUILD)/$$target- $(BUILD)/corpus/$$target || exit 1; \
	done

SPEC_C := spec/fuzz/driver.c spec/bench/libcurl.c

lint: deps ## luacheck, clang-format, cppcheck
	luacheck --quiet lua stacks plugins spec
	clang-format --dry-run --Werror host/*.c host/*.h bootstrap/*.c bootstrap/*.h $(SPEC_C)
	cppcheck --quiet --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --std=c11 host bootstrap \
	  $(SPEC_C)

install: $(INFRA) ## install into PREFIX (/usr/local)
	install -D -m 755 $(INFRA) $(DESTDIR)$(PREFIX)/bin/infra

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18
