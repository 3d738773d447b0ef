# Any image with Python 3.11 or newer serves; the default is small and has a libc that wheels are built for.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements-image.lock ./
RUN python3 -m venv /opt/gateway \
    && /opt/gateway/bin/pip install --no-cache-dir --no-compile --disable-pip-version-check \
        --require-hashes -r requirements-image.lock
COPY pyproject.toml README.md ./
COPY gateway ./gateway
# The build back end is the only thing that is not in the lock: it stays in this stage, as pip does.
RUN /opt/gateway/bin/pip install --no-cache-dir --no-compile --disable-pip-version-check --no-deps . \
    && /opt/gateway/bin/pip uninstall --yes pip setuptools \
    && find /opt/gateway -name '*.pyi' -delete

FROM ${PYTHON_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="platform-gateway" \
      org.opencontainers.image.description="A local gateway in front of a third-party platform's API" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/gateway/bin:$PATH \
    GATEWAY_LISTEN__HOST=0.0.0.0
COPY --from=build /opt/gateway /opt/gateway
COPY config.yaml /etc/gateway/config.yaml
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["python3", "-m", "gateway"]
CMD ["serve", "--config", "/etc/gateway/config.yaml"]
