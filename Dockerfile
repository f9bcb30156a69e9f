# The service, its workers and the command line; docker-compose.yml says how each is started.
FROM python:3.12.11-slim-bookworm

# cpu: torch without CUDA, a tenth of the size. cuda: torch as the package index has it.
ARG TORCH_BUILD=cpu
# Where the CPU build is found, if the usual package index has none: see docs/compose.md.
ARG PIP_EXTRA_INDEX_URL=

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SIGHTINGS_CACHE=/var/lib/sightings/weights \
    SIGHTINGS_API_KEYS_FILE=/var/lib/sightings/private/api-keys.json \
    SIGHTINGS_API_MEDIA_ROOT=/var/lib/sightings/uploads

# Volumes take their owner from these folders.
RUN useradd --uid 10001 --user-group --create-home sightings \
    && install --directory --owner sightings --group sightings --mode 0700 \
       /var/lib/sightings /var/lib/sightings/weights /var/lib/sightings/private \
       /var/lib/sightings/uploads

WORKDIR /opt/sightings
COPY constraints.txt ./
RUN if [ "$TORCH_BUILD" = cpu ]; then \
      sed -n 's/^\(torch\|torchvision\)==\([^ ;]*\)/\1==\2+cpu/p' constraints.txt \
        | python -m pip install --no-cache-dir --requirement /dev/stdin \
      || echo "The package index has no CPU build of torch: taking the default one (5 GB)."; \
    fi
COPY pyproject.toml README.md ./
COPY es_mappings es_mappings
COPY indexer indexer
COPY tasks tasks
COPY api api
RUN python -m pip install --no-cache-dir --constraint constraints.txt \
      ".[dlib,heic,elasticsearch,service]"

USER sightings
WORKDIR /home/sightings
EXPOSE 8470
CMD ["sightings", "serve"]
