# Larder. `make help` lists what there is to make. `make demo` and `make test` do all their set-up themselves.
#
# One set of rules builds every variant: MODE=release goes to build/, MODE=asan, valgrind, cover, fuzz to build/<mode>/.
# A test is a program or a spec file; each runs on its own and leaves its counts in $(BUILD)/results/, which are added up at the end.

MODE   ?= release
PREFIX ?= /usr/local
BUILD  := build$(if $(filter-out release,$(MODE)),/$(MODE))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# What is set in a user's shell must not reach the tests.
unexport LUA_INIT LUA_INIT_5_4 LUA_PATH_5_4 LUA_CPATH_5_4
unexport LARDER_URL STORAGE_TYPE STORAGE_PATH LOG_LEVEL

# ---- the machine ----

SYSTEM := $(shell uname -s)
JOBS   := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Inside `make -j` its own job count holds.
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS))$(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

ifndef LUA
LUA := $(or $(shell for lua in lua5.4 lua54 lua-5.4 lua; do \
  [ "$$($$lua -e 'io.write(_VERSION)' 2>/dev/null)" = "Lua 5.4" ] && echo $$lua && break; done),lua5.4)
endif

pkg = $(shell for name in $(2); do pkg-config --exists "$$name >= $(3)" 2>/dev/null && pkg-config --$(1) $$name && break; done)
LUA_CFLAGS := $(or $(LUA_CFLAGS),$(call pkg,cflags,lua5.4 lua-5.4 lua54 lua,5.4))
LIB_CFLAGS := $(or $(LIB_CFLAGS),$(call pkg,cflags,lmdb,0.9.24) $(call pkg,cflags,libcjson,1.7))
LIBS       := $(or $(LIBS),$(or $(call pkg,libs,lmdb,0.9.24),-llmdb) $(or $(call pkg,libs,libcjson,1.7),-lcjson) -lm -ldl)
# zlib is loaded when a dump is packed or unpacked; here only its header is used, where it is there. ZLIB=no does without.
ZLIB       ?= yes
GZIP_CFLAGS := $(if $(filter no,$(ZLIB)),-DLD_NO_ZLIB,$(call pkg,cflags,zlib,1.2))

# ---- flags ----

CFLAGS       ?= -O2 -g
OPT_release  := $(CFLAGS)
# Rare cases are made common: a deep tree; indexes that cut values off, and list documents, early; lists that are gone over in many passes; a log that is written anew.
OPT_asan     := -O1 -g -DLD_NODE_FAN=8 -DLD_INDEX_KEPT=4 -DLD_ENTRIES_MOST=3 -DLD_NUMBERS_KEPT=4 -DLD_GROUPS_KEPT=2 -DLD_LISTED_NAMES=16 -DLD_FILE_LOG_LEAST=256 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_valgrind := -O1 -g
OPT_cover    := -O0 -g --coverage
OPT_fuzz     := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# A module that stays loaded to the end is named in reports, and what it holds in static variables is no leak.
STAY_asan     := -Wl,-z,nodelete
STAY_valgrind := -Wl,-z,nodelete

OPT     := $(OPT_$(MODE))
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes $(if $(CI),-Werror)
COMPILE  = $(CC) -std=c11 -D_GNU_SOURCE -pthread -fPIC -fno-plt $(WARN) $(OPT) $(CPPFLAGS) $(LIB_CFLAGS) $(GZIP_CFLAGS) -Icsrc -MMD -MP
LINK     = $(CC) -pthread $(OPT) $(LDFLAGS)

# A module shows its luaopen_ function and nothing else.
ifeq ($(SYSTEM),Darwin)
MODULE = $(LINK) -bundle -undefined dynamic_lookup -Wl,-exported_symbol,_luaopen_$(1)
else
MODULE = $(LINK) -shared -Wl,--version-script=$(BUILD)/exports.map $(STAY_$(MODE))
endif

# ---- sources ----

CORE_C   := $(wildcard csrc/*.c csrc/engines/*.c)
BIND_C   := $(wildcard csrc/bind/*.c)
TEST_C   := $(wildcard spec/c/test_*.c)
FUZZ_C   := $(filter-out %/fuzz_main.c,$(wildcard spec/c/fuzz_*.c))
HELPER_C := $(filter-out $(TEST_C) spec/c/fuzz_%,$(wildcard spec/c/*.c))
BENCH_C  := $(wildcard spec/bench/*.c)
SPECS    ?= $(sort $(shell find spec -name '*_spec.lua'))
EXAMPLES ?= $(sort $(wildcard examples/*.lua))

# Specs of the build itself: they run compilers, which gains nothing from sanitizers.
BUILD_SPECS := spec/check_spec.lua spec/run_spec.lua spec/rock_spec.lua spec/zlib_spec.lua

object     = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
CORE      := $(BUILD)/liblarder.a
MODULE_SO := $(BUILD)/larder/core.so
PORT_SO   := $(if $(filter %/port.c,$(HELPER_C)),$(BUILD)/larder_port.so)

BENCH_SO  := $(patsubst spec/bench/%.c,$(BUILD)/larder_bench_%.so,$(BENCH_C))

##@ Use
.PHONY: all deps demo install uninstall shell-env clean help
all: $(MODULE_SO) $(CORE) ## build the module and the library

deps: ## install what building needs and this machine lacks
	@.ci/deps build

demo: ## take in a directory of rooms, rate, find matches, give it back (ROOMS=directory)
	@.ci/deps build
	@$(MAKE) $(PARALLEL) all
	@$(LUA_ENV) $(LUA) examples/movie_rooms.lua $(ROOMS)

shell-env: ## what `eval "$$(make shell-env)"` needs to use the build in a shell
	@echo 'export LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;" LUA_CPATH="$(CURDIR)/$(BUILD)/?.so;;"'

help: ## print this
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { sub(/ .*/, "", $$1); gsub(/[$$][$$]/, "$$", $$2); printf "  make %-10s %s\n", $$1, $$2 }' Makefile

clean: ## remove all that was built
	rm -rf build

# ---- compile and link ----

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

say = @printf '  %-5s %s\n' $(1) $(2)

# Changes when the flags or the list of sources do; everything is built again then.
.PHONY: FORCE
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(COMPILE) $(LUA_CFLAGS) | $(LINK) $(LIBS) | $(CORE_C) $(BIND_C) $(HELPER_C))' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/exports.map: $(BUILD)/flags
	@echo '{ global: luaopen_*; local: *; };' >$@

$(BUILD)/obj/csrc/bind/%.o: csrc/bind/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	@$(COMPILE) $(LUA_CFLAGS) -c $< -o $@

$(BUILD)/obj/csrc/%.o: csrc/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	@$(COMPILE) -fvisibility=hidden -c $< -o $@

$(BUILD)/obj/spec/%.o: spec/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	@$(COMPILE) $(LUA_CFLAGS) -c $< -o $@

$(CORE): $(call object,$(CORE_C))
	$(call say,AR,$@)
	@rm -f $@ && $(AR) rcs $@ $^

$(MODULE_SO): $(call object,$(BIND_C) $(CORE_C)) $(BUILD)/exports.map
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	@$(call MODULE,larder_core) $(filter %.o,$^) $(LIBS) -o $@

$(BUILD)/larder_port.so: $(call object,$(HELPER_C) $(CORE_C)) $(BUILD)/exports.map
	$(call say,LINK,$@)
	@$(call MODULE,larder_port) $(filter %.o,$^) $(LIBS) -o $@

$(BUILD)/spec/libhelpers.a: $(call object,$(HELPER_C))
	@mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

# A test that defines __wrap_malloc (failing_malloc.h does) decides which allocations fail; the like for other functions (backup_hits.h).
WRAP = $(shell cat $(1) $$(sed -n 's/^.include "\(failing_malloc\|backup_hits\)\.h"/spec\/c\/\1.h/p' $(1)) | \
  sed -n 's/.*__wrap_\([a-z0-9_]*\).*/-Wl,--wrap=\1/p' | sort -u)

$(BUILD)/spec/test_%: $(BUILD)/obj/spec/c/test_%.o $(BUILD)/spec/libhelpers.a $(CORE)
	$(call say,LINK,$@)
	@$(LINK) $(call WRAP,spec/c/test_$*.c) $^ $(LIBS) -o $@

# libFuzzer drives a fuzz target in MODE=fuzz; elsewhere fuzz_main.c does, and the target is one of the C tests.
$(BUILD)/spec/fuzz_%: $(BUILD)/obj/spec/c/fuzz_%.o $(if $(filter fuzz,$(MODE)),,$(BUILD)/obj/spec/c/fuzz_main.o) $(CORE)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	@$(LINK) $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer) $^ $(LIBS) -o $@

$(BUILD)/larder_bench_%.so: $(BUILD)/obj/spec/bench/%.o $(CORE) $(BUILD)/exports.map
	$(call say,LINK,$@)
	@$(call MODULE,larder_bench_$*) $(filter %.o %.a,$^) $(LIBS) -o $@

# ---- run ----

LUA_ENV = env LUA=$(LUA) LARDER_BUILD=$(CURDIR)/$(BUILD) \
  LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;$(CURDIR)/spec/?.lua;;" LUA_CPATH="$(CURDIR)/$(BUILD)/?.so;;"

ifeq ($(MODE),asan)
SANITIZE = ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:detect_stack_use_after_return=1 \
  UBSAN_OPTIONS=print_stacktrace=1
PRELOAD  = LD_PRELOAD=$(realpath $(shell $(CC) -print-file-name=libasan.so))
endif
ifeq ($(MODE),valgrind)
# Leaks are the leak sanitizer's; this is for bytes that were never written.
UNDER = valgrind -q --error-exitcode=99
endif

PATIENCE     ?= $(if $(filter valgrind,$(MODE)),1800,300)
FUZZ_SECONDS ?= 20
RUN      = $(SANITIZE) spec/check/run.sh $@
IN_LUA   = $(LUA_ENV) $(PRELOAD) $(UNDER) $(LUA)

RESULTS         := $(BUILD)/results
SPEC_C_RESULTS  := $(patsubst spec/c/%.c,$(RESULTS)/spec-c/%,$(TEST_C) $(FUZZ_C))
SPEC_RESULTS    := $(patsubst spec/%.lua,$(RESULTS)/spec/%,$(if $(filter release,$(MODE)),$(SPECS),$(filter-out $(BUILD_SPECS) $(SPARED),$(SPECS))))
EXAMPLE_RESULTS := $(patsubst examples/%.lua,$(RESULTS)/examples/%,$(EXAMPLES))
FUZZ_RESULTS    := $(patsubst spec/c/%.c,$(RESULTS)/fuzz/%,$(FUZZ_C))
CHECK_RESULTS   := $(addprefix $(RESULTS)/check/,format luacheck includes budget marks sources mirror)

.PHONY: run-spec-c run-spec run-examples run-fuzz run-check run-release run-asan
run-spec-c: $(SPEC_C_RESULTS)
run-spec: $(SPEC_RESULTS)
run-examples: $(EXAMPLE_RESULTS)
run-fuzz: $(FUZZ_RESULTS)
run-check: $(CHECK_RESULTS)
run-release: run-spec run-spec-c run-examples run-check
run-asan:
	@$(MAKE) -k MODE=asan run-spec run-spec-c run-examples

$(SPEC_C_RESULTS): $(RESULTS)/spec-c/%: $(BUILD)/spec/% FORCE
	@$(RUN) $(PATIENCE) env LARDER_BUILD=$(CURDIR)/$(BUILD) $(UNDER) $(BUILD)/spec/$* \
	  $(if $(filter fuzz_%,$*),$(wildcard spec/c/corpus/$*))

$(SPEC_RESULTS): $(RESULTS)/spec/%: $(MODULE_SO) $(PORT_SO) FORCE
	@$(RUN) $(PATIENCE) $(IN_LUA) spec/check/busted.lua --output=plainTerminal spec/$*.lua

$(EXAMPLE_RESULTS): $(RESULTS)/examples/%: $(MODULE_SO) FORCE
	@rm -rf $(BUILD)/scratch/$* && mkdir -p $(BUILD)/scratch/$*/build
	@ln -s $(CURDIR)/examples $(BUILD)/scratch/$*/examples
	@IN=$(BUILD)/scratch/$* $(RUN) $(PATIENCE) $(IN_LUA) examples/$*.lua

# Findings of fuzz_x stay in build/fuzz/x/, beside the inputs that it learnt from.
$(FUZZ_RESULTS): $(RESULTS)/fuzz/%: $(BUILD)/spec/% FORCE
	@mkdir -p $(BUILD)/$*/corpus
	@$(RUN) $$(($(FUZZ_SECONDS) + 60)) $(BUILD)/spec/$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
	  -artifact_prefix=$(BUILD)/$*/ $(BUILD)/$*/corpus $(wildcard spec/c/corpus/$*)

$(RESULTS)/check/%: FORCE
	@$(RUN) 120 $(or $(wildcard spec/check/$*.sh),$(LUA) spec/check/$*.lua)

# tally <goals> <results>: run the goals, whatever fails, then add up what they left.
define gather
@rm -f $(2)
@+$(MAKE) $(PARALLEL) -k $(1) || true
endef
define tally
$(gather)
@spec/check/total.sh $(2)
endef

in_mode   = $(patsubst build/%,build/$(1)/%,$(filter-out $(BUILD_SPECS:%.lua=$(RESULTS)/%),$(2)))
IN_ASAN   = $(call in_mode,asan,$(SPEC_C_RESULTS) $(SPEC_RESULTS) $(EXAMPLE_RESULTS))
IN_COVER  = $(call in_mode,cover,$(SPEC_C_RESULTS) $(SPEC_RESULTS))

##@ Test
.PHONY: test spec spec-c examples check asan valgrind cover fuzz bench
test: ## everything: specs, C tests, examples, checks, and again under sanitizers (but for cli_*)
	@.ci/deps build test
	@$(MAKE) test-run

# What it leaves to `make asan`: specs that start many processes, whose code the others run under the sanitizers, too.
SPARED_SPECS = $(filter spec/cli_%,$(SPECS))
SPARED_ASAN  = $(SPARED_SPECS:spec/%.lua=build/asan/results/spec/%)
.PHONY: test-run
test-run:
	$(call tally,run-release run-asan SPARED="$(SPARED_SPECS)",$(SPEC_C_RESULTS) $(SPEC_RESULTS) $(EXAMPLE_RESULTS) $(CHECK_RESULTS) $(filter-out $(SPARED_ASAN),$(IN_ASAN)))

spec: ## the Lua specs (SPECS="spec/x_spec.lua ...")
	$(call tally,run-spec,$(SPEC_RESULTS))

spec-c: ## the C tests
	$(call tally,run-spec-c,$(SPEC_C_RESULTS))

examples: ## run every example, each in a folder of its own
	$(call tally,run-examples,$(EXAMPLE_RESULTS))

check: ## format, luacheck, include rules, size budget, rockspec
	@.ci/deps check
	$(call tally,run-check,$(CHECK_RESULTS))

asan: ## specs, C tests and examples with the address, leak and undefined behaviour sanitizers
	$(call tally,run-asan,$(IN_ASAN))

valgrind: ## C tests and specs under valgrind
	@.ci/deps build test valgrind
	$(call tally,MODE=valgrind run-spec-c run-spec,$(call in_mode,valgrind,$(SPEC_C_RESULTS) $(SPEC_RESULTS)))

cover: ## specs and C tests, then the lines of C that they ran
	@find build/cover -name '*.gcda' -delete 2>/dev/null; true
	$(call gather,MODE=cover run-spec-c run-spec,$(IN_COVER))
	@$(LUA) spec/check/cover.lua build/cover/obj/csrc
	@spec/check/total.sh $(IN_COVER)

fuzz: ## each fuzz target for FUZZ_SECONDS (20)
	@.ci/deps build fuzz
	$(call tally,MODE=fuzz CC=clang run-fuzz,$(call in_mode,fuzz,$(FUZZ_RESULTS)))

bench: ## ratios to raw LMDB, to LMDB with lua-cjson, to SQLite (ROOMS=directory)
	@.ci/deps build bench
	@$(MAKE) $(PARALLEL) all bench-modules
	@$(LUA_ENV) $(LUA) spec/bench/bench.lua $(ROOMS)

.PHONY: bench-modules
bench-modules: $(BENCH_SO)

# ---- install ----

# Where this Lua looks below PREFIX; the usual place when it does not look there at all.
searched = $(shell $(LUA) -e 'for at in package.$(1):gmatch "([^;]+)/%?%.$(2)" do \
  if at:find("$(PREFIX)/", 1, true) == 1 then return print(at) end end')
LUA_LDIR ?= $(or $(call searched,path,lua),$(PREFIX)/share/lua/5.4)
LUA_CDIR ?= $(or $(call searched,cpath,so),$(PREFIX)/lib/lua/5.4)
LIBDIR   ?= $(PREFIX)/lib
INCDIR   ?= $(PREFIX)/include
BINDIR   ?= $(PREFIX)/bin
VERSION  := $(shell sed -n 's/^.define LD_VERSION *"\(.*\)"/\1/p' csrc/*.h)

install: all ## to PREFIX (/usr/local): the module, the command, the library, the headers
	install -d '$(DESTDIR)$(LUA_CDIR)/larder' '$(DESTDIR)$(LUA_LDIR)' '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCDIR)/larder'
	install -m 755 $(MODULE_SO) '$(DESTDIR)$(LUA_CDIR)/larder/core.so'
	cd lua && find larder -name '*.lua' -exec install -D -m 644 {} '$(DESTDIR)$(LUA_LDIR)/{}' ';'
	sed '1s|.*|#!/usr/bin/env $(notdir $(LUA))|' lua/larder/cli/larder.lua >'$(DESTDIR)$(BINDIR)/larder'
	chmod 755 '$(DESTDIR)$(BINDIR)/larder'
	install -m 644 $(CORE) '$(DESTDIR)$(LIBDIR)'
	install -m 644 csrc/*.h '$(DESTDIR)$(INCDIR)/larder'
	printf '%s\n' 'Name: larder' 'Description: rooms and documents in LMDB or memory' 'Version: $(VERSION)' \
	  'Cflags: -I$(INCDIR)/larder' 'Libs: -L$(LIBDIR) -llarder -llmdb -lcjson -lm -ldl -pthread' \
	  >'$(DESTDIR)$(LIBDIR)/pkgconfig/larder.pc'
	@test -n '$(DESTDIR)' || env -u LUA_PATH -u LUA_CPATH $(LUA) -e 'require "larder"' 2>/dev/null || printf '%s\n' \
	  '$(LUA) does not look there by itself. Set' \
	  '  LUA_PATH="$(LUA_LDIR)/?.lua;$(LUA_LDIR)/?/init.lua;;" LUA_CPATH="$(LUA_CDIR)/?.so;;"'

uninstall: ## remove what install put there
	rm -rf '$(DESTDIR)$(LUA_CDIR)/larder' '$(DESTDIR)$(LUA_LDIR)/larder' '$(DESTDIR)$(INCDIR)/larder'
	rm -f '$(DESTDIR)$(BINDIR)/larder' '$(DESTDIR)$(LIBDIR)/liblarder.a' '$(DESTDIR)$(LIBDIR)/pkgconfig/larder.pc'
