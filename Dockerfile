# Lectern on a CPU, in an image without CUDA (some 4 GB less), as a user without rights.
#
#   docker build --tag lectern .
#   docker run --rm lectern list
#   docker run --rm --volume "$PWD:/work" --user "$(id -u):$(id -g)" lectern fit --config segmentation/fcn_transpose
#   docker run --rm --volume "$PWD:/work" --publish 127.0.0.1:8501:8501 lectern dashboard --address 0.0.0.0
#
# For a GPU: docker build --build-arg TORCH=auto --tag lectern . and docker run --gpus all …
FROM python:3.12-slim AS build
ARG TORCH=cpu
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN python -m pip install --no-cache-dir uv
WORKDIR /source
COPY pyproject.toml README.md LICENSE pins.txt ./
COPY datamodules datamodules
COPY lightning_modules lightning_modules
COPY experiments experiments
RUN uv venv /opt/lectern \
 && uv pip install --no-cache --python /opt/lectern/bin/python --torch-backend "$TORCH" --constraint pins.txt '.[export,dashboard]'

FROM python:3.12-slim
COPY --from=build /opt/lectern /opt/lectern
RUN useradd --create-home --uid 1000 lectern && mkdir /work && chown lectern /work
ENV PATH=/opt/lectern/bin:$PATH HOME=/tmp/home USER=lectern NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib
USER lectern
WORKDIR /work
ENTRYPOINT ["lectern"]
CMD ["--help"]
