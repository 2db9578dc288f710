# The image of imagesweep: the program, the shared libraries it loads, and nothing that could start anything else.
# `make image` builds it without Docker; `docker buildx build --platform linux/amd64,linux/arm64 .` does as well.
ARG BASE=docker.io/library/debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY scripts/bootstrap scripts/bootstrap
RUN scripts/bootstrap build && apt-get install -y -qq --no-install-recommends ca-certificates
COPY . .
ARG REVISION=unknown
# Debian's hardening flags. Warnings are errors where tests run, not here.
RUN --mount=type=cache,target=/var/cache/ccache \
    export CCACHE_DIR=/var/cache/ccache DEB_BUILD_MAINT_OPTIONS=hardening=+all DEB_CXXFLAGS_MAINT_STRIP=-g \
 && cmake --preset release -DIMAGESWEEP_TESTS=OFF -DIMAGESWEEP_BENCH=OFF -DIMAGESWEEP_WERROR=OFF \
      -DIMAGESWEEP_REVISION=${REVISION} -DCMAKE_CXX_FLAGS_RELEASE="-Os -ffunction-sections -fdata-sections -DNDEBUG" \
      -DCMAKE_CXX_FLAGS="$(dpkg-buildflags --get CXXFLAGS) $(dpkg-buildflags --get CPPFLAGS)" \
      -DCMAKE_EXE_LINKER_FLAGS="$(dpkg-buildflags --get LDFLAGS) -Wl,--as-needed" \
      -DCMAKE_CXX_LINKER_LAUNCHER=/src/scripts/link-static \
 && cmake --build --preset release --target imagesweep
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image-root build/release /image

FROM scratch
COPY --from=build /image /
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="imagesweep" \
      org.opencontainers.image.description="Removes container images that nothing on a Kubernetes node needs any more" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
# The sockets of container runtimes belong to root; the container needs no capability for them.
USER 0
ENV PATH=/usr/bin
EXPOSE 8080
ENTRYPOINT ["imagesweep"]
CMD ["agent"]
