#!/bin/bash
# Starts the server on a configuration of its own making and passes signals on: it must not be process 1.
set -euo pipefail
trap 'exit 143' TERM INT

# A container that restarts keeps /dev/shm; leftovers of the process before stop the next one.
rm -f /dev/shm/*llm_backend_* /dev/shm/llm_tokenizer_shared_memory_*
unset RANK_TABLE_FILE RANKTABLEFILE || true

# The installation's own settings scripts hold neither to -e nor to -u.
set +eu
for settings in /usr/local/Ascend/ascend-toolkit/set_env.sh /usr/local/Ascend/cann/set_env.sh /usr/local/Ascend/nnal/atb/set_env.sh \
    /usr/local/Ascend/atb-models/set_env.sh /usr/local/Ascend/mindie/set_env.sh; do
    if [ -f "$settings" ]; then
        # shellcheck disable=SC1090
        source "$settings"
    fi
done
set -eu

prepared=${NPUSERVE_PREPARED:-/tmp/npuserve}
python3 '@FILES@/prepare.py' '@FILES@/config.json' '@WEIGHTS@' '@DTYPE@' "$prepared"
export MIES_CONFIG_JSON_PATH="$prepared/config.json"

if command -v mindie_llm_server > /dev/null; then
    mindie_llm_server &
else
    cd /usr/local/Ascend/mindie/latest/mindie-service
    ./bin/mindieservice_daemon &
fi
server=$!
trap 'kill -TERM "$server" 2> /dev/null || true' TERM INT
# wait returns whenever a signal arrives; the exit code is the server's own, however often it was told to end.
while kill -0 "$server" 2> /dev/null; do
    wait "$server" || true
done
wait "$server" && status=0 || status=$?
exit "$status"
