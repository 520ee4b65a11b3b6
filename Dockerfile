# The image of stash, stash-webhook and stash-controller. image/contents.txt says what is in it, image/assemble puts it
# together; `image/build` does the same without Docker, so what the tests run is what this builds.

# It builds for the processor that it runs on or that --platform names, amd64 or arm64: all that it takes is there for both, and
# what was taken for another one is refused (image/rootfs.py). docs/upgrade.md says how to build one name for both.

# The restic to ship, with every backend. The digest is the one that public records agree on for this tag, and of the list for
# all processors; this repository's own tests cannot reach that registry, and run Debian's restic. Another:
# --build-arg RESTIC_IMAGE=restic/restic@sha256:...
ARG RESTIC_IMAGE=restic/restic:0.18.0@sha256:4cf4a61ef9786f4de53e9de8c8f5c040f33830eb0a10bf3d614410ee2fcb6120
FROM ${RESTIC_IMAGE} AS restic

FROM debian:bookworm-slim AS builder
WORKDIR /src
COPY tools/apt-packages.txt tools/
# apt's lists stay: image/libcurl asks apt which suites there are.
RUN apt-get update \
 && sed -n '/^\[build\]/,/^\[/p' tools/apt-packages.txt | grep -v '^\[\|^#\|^$' \
    | xargs apt-get install --yes --no-install-recommends
COPY image/libcurl image/
RUN image/libcurl
COPY . .
RUN cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O2 \
 && cmake --build build/release --target stash stash-webhook stash-controller
COPY --from=restic /usr/bin/restic /usr/local/bin/restic
RUN RESTIC=/usr/local/bin/restic image/assemble /rootfs

FROM scratch
COPY --from=builder /rootfs/ /
USER 65535:65535
ENTRYPOINT ["/usr/bin/stash"]
