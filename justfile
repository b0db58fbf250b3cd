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
run *args: install models
    @mkdir -p "{{state}}"
    @exec {{patchcord}} run --log-file "{{state}}/engine.log" "$@"

# Engine, one simulated call with human speech, and what became of it
[group('dev')]
demo *args: install models
    @{{patchcord}} demo "$@"

# Place a call without Asterisk to the engine that runs
[group('dev')]
dial *args: install
    @{{patchcord}} dial "$@"

# Follow the log of the engine that `just run` started
[group('dev')]
logs:
    @tail -n 50 -F "{{state}}/engine.log"

# The state of the engine that runs
[group('dev')]
health *args: install
    @{{patchcord}} health "$@"

# Check a configuration file
[group('check')]
check *args: install
    @{{patchcord}} check "$@"

# Types, lint and the structure of the code, in a few seconds
[group('check')]
lint: install
    @{{bun}} scripts/test.ts --only lint

# Format the code
[group('check')]
format: install
    @{{bun}} x biome check --write --error-on-warnings .

# Everything, the real Asterisk and the real models included
[group('test')]
test *args: install
    @{{bun}} scripts/test.ts "$@"

# Unit and contract tests alone
[group('test')]
unit *args: install
    @{{bun}} scripts/test.ts --only unit "$@"

# Measure: start, greeting, pacing, speech
[group('test')]
bench *args: install models
    @{{bun}} scripts/bench.ts "$@"

# The single binary: dist/patchcord
[group('build')]
build: install
    @{{bun}} scripts/build.ts

# Fetch and verify the local models
[group('models')]
models *args: install
    @{{patchcord}} models "$@"

# A real Asterisk for trying things out: up, down, status, call
[group('asterisk')]
asterisk *args: install
    @{{bun}} scripts/asterisk.ts "$@"
