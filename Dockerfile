# Three images from one file: `service` (the default target) serves models, `training` trains and exports them,
# `load` measures. LOCK selects the features of the service: serve-onnx.lock omits TensorFlow, cluster.lock adds Ray.
# docs/containers.md describes how to build, run and check them.
#
# The base is pinned by tag, so a rebuild with --pull takes its security fixes. Where builds must be
# repeatable to the byte, add the digest your own engine reports: python:3.12-slim-bookworm@sha256:…

FROM python:3.12-slim-bookworm AS runtime
# Bytecode is compiled during the build, because a read-only root cannot store it at start-up.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
ARG LOCK=service.lock
COPY requirements/${LOCK} requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/${LOCK}


FROM runtime AS training
# A superset of service.lock with the same versions; the packages of LOCK are in the layer shared by all images.
COPY requirements/run.lock requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/run.lock
COPY service/ service/
COPY training/ training/
RUN chmod -R u=rwX,go=rX . \
    && python -m compileall -q service training \
    && install -d -o 10002 -g 10002 models runs
# Downloaded data sets go where a volume keeps them; Matplotlib, which mlxtend imports, caches fonts.
ENV KERAS_HOME=/app/runs/keras \
    MPLCONFIGDIR=/app/runs/matplotlib
USER 10002:10002
RUN python -m training export
ENTRYPOINT ["python", "-m", "training"]
CMD ["--help"]


FROM training AS load
COPY clients/ clients/
ENV PYTHONPATH=/app/clients/python
ENTRYPOINT ["python", "-m", "clients.load"]
CMD ["--help"]


FROM runtime AS service
COPY service/ service/
COPY clients/web/ clients/web/
COPY docs/course.md docs/beta-sweep.png docs/seven.png docs/trousers.png docs/
# models/ belongs to the trainer (10002), so the service (10001) can read it and never write it.
# The owner is set before the copy because an empty volume takes over the owner of this folder.
RUN chmod -R u=rwX,go=rX . \
    && python -m compileall -q service \
    && install -d -o 10002 -g 10002 models \
    && install -d -o 10001 -g 10001 serving
COPY --from=training --chown=10002:10002 /app/models models/
# All addresses of the container; which of the host's reach it is the publisher's choice.
ENV VITRINE_HOST=0.0.0.0 \
    VITRINE_PORT=8000 \
    VITRINE_MODELS=/app/models \
    VITRINE_SERVING_DIR=/app/serving
EXPOSE 8000
USER 10001:10001
# http.client, because it never uses a proxy, not even one that the engine sets in the environment.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; probe = http.client.HTTPConnection('127.0.0.1', int(os.environ['VITRINE_PORT']), timeout=4); probe.request('GET', '/v2/health/ready'); sys.exit(probe.getresponse().status != 200)"]
CMD ["python", "-m", "service"]
