# One image for the web server, the worker and both in one: what runs is the word after its name.
# docs/image.md says how to run it.

# Tag and digest belong together: the digest is that of the index over all platforms. Change both at once.
ARG PYTHON_IMAGE=python:3.13.16-slim-bookworm@sha256:a1165e272e578941b84abc79e4ab38a0305cd12803a5c4247979ac7655f4d641

FROM ${PYTHON_IMAGE} AS builder

WORKDIR /build
# What changes seldom comes first: these layers are kept until a lock changes.
COPY requirements/bootstrap.lock requirements/base.lock ./
RUN python3 -m venv /build/tools \
    && /build/tools/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r bootstrap.lock
# The product's own Python has no pip: nothing is installed into a running container.
RUN python3 -m venv --without-pip /opt/venv \
    && /build/tools/bin/uv pip sync --no-cache --python /opt/venv/bin/python --require-hashes base.lock

WORKDIR /app
COPY manage.py pyproject.toml LICENSE ./
COPY launcher ./launcher
COPY sandbox ./sandbox
COPY tillgate ./tillgate
# The key signs nothing: no file that is collected depends on it. Bytecode is believed without a look at the
# source's date, which a copy may change and a read-only root could not put right.
RUN TILLGATE_ENV=local SECRET_KEY=signs-nothing-and-is-in-no-file-of-the-image-0123456789 \
        PYTHONDONTWRITEBYTECODE=1 /opt/venv/bin/python manage.py collectstatic --noinput \
    && /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib /app
# A platform may put its command behind the entry point or in its place: so these words are programs, too. And
# whatever the umask of who built this was, everybody reads what is here.
RUN for word in prepare web worker; do \
        printf '#!/bin/sh\ncd /app && exec /opt/venv/bin/python -m launcher %s "$@"\n' "$word" >"/opt/venv/bin/$word"; \
    done \
    && chmod 0755 /opt/venv/bin/prepare /opt/venv/bin/web /opt/venv/bin/worker \
    && chmod -R a+rX /opt/venv /app


FROM ${PYTHON_IMAGE}

# Given by the pipeline: which release this is, and which commit of which repository.
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Tillgate" \
    org.opencontainers.image.description="A self-hosted payments API in front of Paystack, Flutterwave and PayPal." \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}"

ENV PATH="/opt/venv/bin:${PATH}" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TILLGATE_ENV=production \
    TILLGATE_DATA_DIR=/data \
    TILLGATE_HOST=0.0.0.0

COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
# Backups, and with SQLite the database and its keys. Together with /tmp all that is ever written to.
RUN install -d -o 10001 -g 10001 -m 0700 /data
VOLUME ["/data"]

WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Ready, not merely alive: whoever waits for this wants to send requests. The worker listens nowhere, and whoever
# runs it alone says that it has no such check.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-I", "-S", "-c", "\
import http.client, os, sys;\
asked = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or 8000), timeout=4);\
asked.request('GET', '/readyz');\
sys.exit(asked.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "launcher"]
# No word: prepare, worker and web server in one group.
CMD []
