# patchcord's commands. Without just: npx -y rust-just COMMAND

set positional-arguments

bun := justfile_directory() / "scripts/bun"
patchcord := bun + " --no-env-file " + justfile_directory() / "src/main.ts"
state := env("XDG_STATE_HOME", env("HOME", "") / ".local/state") / "patchcord"

[private]
default:
    @just --list --unsorted

[private]
install:
    @{{bun}} install --frozen-lockfile --silent

# Install, fetch the models, start the engine
[group('dev')]
[no-exit-message]
run *args: install
    @{{patchcord}} models --quiet
    @mkdir -p "{{state}}"
    @exec {{patchcord}} run --log-file "{{state}}/engine.log" "$@"

# Engine, one simulated call with human speech, and what became of it
[group('dev')]
[no-exit-message]
demo *args: install
    @{{patchcord}} models --quiet
    @{{patchcord}} demo "$@"

# Place a call without Asterisk to the engine that runs
[group('dev')]
[no-exit-message]
dial *args: install
    @{{patchcord}} dial "$@"

# Follow the log of the engine that `just run` started
[group('dev')]
logs:
    @tail -n 50 -F "{{state}}/engine.log"

# The state of the engine that runs
[group('dev')]
[no-exit-message]
health *args: install
    @{{patchcord}} health "$@"

# Let the engine that runs read its configuration anew
[group('dev')]
[no-exit-message]
reload *args: install
    @{{patchcord}} reload "$@"

# List the providers, or give calls to another one: list, switch NAME
[group('dev')]
[no-exit-message]
provider *args: install
    @{{patchcord}} provider "$@"

# A stand-in for a vendor, to rehearse calls without a key: openai, deepgram
[group('dev')]
[no-exit-message]
standin *args: install
    @{{bun}} scripts/standin.ts "$@"

# Check a configuration file
[group('check')]
[no-exit-message]
check *args: install
    @{{patchcord}} check "$@"

# Which agent a call goes to, what it is given, and where each value comes from
[group('check')]
[no-exit-message]
explain *args: install
    @{{patchcord}} explain "$@"

# Types, lint and the structure of the code, in a few seconds
[group('check')]
[no-exit-message]
lint: install
    @{{bun}} scripts/test.ts --only lint

# Format the code
[group('check')]
format: install
    @{{bun}} x biome check --write --error-on-warnings .

# Everything, the real Asterisk and the real models included
[group('test')]
[no-exit-message]
test *args: install
    @{{bun}} scripts/test.ts "$@"

# Unit and contract tests alone
[group('test')]
[no-exit-message]
unit *args: install
    @{{bun}} scripts/test.ts --only unit "$@"

# Measure: start, greeting, pacing, speech, media, provider, reload, turns
[group('test')]
[no-exit-message]
bench *args: install
    @{{patchcord}} models --quiet
    @{{bun}} scripts/bench.ts "$@"

# Callers on a simulated clock, a thousand seeds
[group('test')]
[no-exit-message]
sim *args: install
    @{{bun}} scripts/sim.ts "$@"

# Hundreds of calls that hang up at any moment, and what is left of them
[group('test')]
[no-exit-message]
soak *args: install
    @{{patchcord}} models --quiet
    @{{bun}} scripts/soak.ts "$@"

# The single binary: dist/patchcord
[group('build')]
build: install
    @{{bun}} scripts/build.ts

# Fetch and verify the local models
[group('models')]
[no-exit-message]
models *args: install
    @{{patchcord}} models "$@"

# A real Asterisk for trying things out: up, down, status, call
[group('asterisk')]
[no-exit-message]
asterisk *args: install
    @{{bun}} scripts/asterisk.ts "$@"
