# One image for every role; the command chooses: referrals migrate | api | worker | watchman.

FROM python:3.13-slim-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements/ requirements/
# Two environments: one builds and stays behind, the other is shipped and has neither pip nor setuptools.
RUN python3 -m venv tools && python3 -m venv --without-pip /opt/psoas \
 && tools/bin/pip install --no-cache-dir --require-hashes --requirement requirements/build.lock \
 && tools/bin/pip --python /opt/psoas/bin/python install --no-cache-dir --no-compile --only-binary :all: \
      --require-hashes --requirement requirements/runtime.lock
COPY pyproject.toml ./
COPY shared/ shared/
COPY services/ services/
# Bytecode by hash: a read-only container never writes it, and file times may change on the way to it.
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && tools/bin/pip --python /opt/psoas/bin/python install --no-deps --no-compile wheels/*.whl \
 && /opt/psoas/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/psoas/lib

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="psoas" org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 psoas \
 && useradd --uid 10001 --gid psoas --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin psoas \
 && install --directory --owner=psoas --group=psoas --mode=0700 /var/lib/psoas
COPY --from=build /usr/bin/tini /usr/bin/tini
COPY --from=build /opt/psoas /opt/psoas
ENV PATH=/opt/psoas/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1
# Imports everything once: the image is whole, and the standard library has its bytecode, which the official image leaves out.
RUN referrals --help >/dev/null && python -c 'import services.api.app, services.worker.triage.app, services.worker.watchman.watchman'
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
ENTRYPOINT ["tini", "--"]
CMD ["referrals", "--help"]
