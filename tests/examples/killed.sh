#!/bin/sh
# Kills a run at random moments, lets it go on each time, and compares what it ends with to a run that nobody killed:
#   killed.sh <kills> <seed> <program> <argument>...
# The program writes its checkpoints and pictures to the folder of its option --out and goes on from what is there.
# A run that ends before it is killed is compared, too, and another one begins, until there were so many kills.
set -eu
kills=$1 seed=$2
shift 2
if [ -z "${WEFT_DATA_DIR:-}" ]; then
  echo "skipped: WEFT_DATA_DIR names no folder with the data"
  exit 0
fi
folder=$(mktemp -d)

fail() {
  echo "$1; the runs are in $folder, and the last one printed:" >&2
  tail -n 20 "$folder/log" >&2
  exit 1
}

now() { date +%s.%N; }
since() { echo "$1 $2" | LC_ALL=C awk '{ print $2 - $1 }'; } # <start> <end>

checkpoints() { # <folder>
  (cd "$folder/$1" 2>/dev/null && ls -d checkpoint_* 2>/dev/null) || true
}

compare() {
  [ "$(checkpoints killed)" = "$(checkpoints whole)" ] || fail "both runs must end with the same checkpoints"
  for file in "$folder"/whole/checkpoint_* "$folder"/whole/*.png; do
    [ -e "$file" ] || continue
    cmp "$file" "$folder/killed/$(basename "$file")" || fail "$(basename "$file") must be the same in both runs"
  done
}

# How long a run takes, and until its first checkpoint.
start=$(now)
"$@" --out "$folder/whole" >"$folder/log" 2>&1 &
pid=$!
while [ -z "$(checkpoints whole)" ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done
first=$(now)
wait $pid || fail "the exit status must be 0; got $?"
end=$(now)
first=$(since "$start" "$first") end=$(since "$start" "$end")
echo "seed $seed; a whole run takes $end s, its first checkpoint $first s"

# Moments from 0 to twice the mean, with which half of the run is left after the last kill.
moments=$(LC_ALL=C awk -v seed="$seed" -v n="$kills" -v first="$first" -v end="$end" 'BEGIN {
  srand(seed)
  for (i = 0; i < 10 * n; i++) printf "%.3f\n", 2 * rand() * (first + (end - first) / (2 * n))
}')
killed=0 resumed=0
for moment in $moments; do
  [ -z "$(checkpoints killed)" ] || resumed=$((resumed + 1))
  # More kills where all came before a checkpoint.
  [ $killed -lt "$kills" ] || [ $resumed -eq 0 ] || break
  "$@" --out "$folder/killed" >"$folder/log" 2>&1 &
  pid=$!
  sleep "$moment"
  kill -KILL $pid 2>/dev/null || true
  status=0
  wait $pid || status=$?
  case $status in
    137) killed=$((killed + 1)) && echo "kill $killed after $moment s, at $(checkpoints killed | tr '\n' ' ')" ;;
    0) compare && rm -r "$folder/killed" && echo "a run ended before $moment s" ;;
    *) fail "the exit status must be 0; got $status" ;;
  esac
done
[ $killed -ge "$kills" ] || fail "there must be $kills kills; got $killed"
"$@" --out "$folder/killed" >"$folder/log" 2>&1 || fail "the exit status must be 0; got $?"
compare
[ $resumed -gt 0 ] || fail "a run must go on from a checkpoint; none did"
echo "$killed kills, and $resumed times a run went on: checkpoint and pictures are those of the whole run"
rm -r "$folder"
