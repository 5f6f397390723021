#!/bin/sh
# Kills a run at random moments, lets it go on each time, and compares what it ends with to a run that nobody killed:
#   killed.sh [--needs-data] <kills> <seed> <program> <argument>...
# The program writes to the folder of its option --out and goes on from what is there: checkpoints, pictures and curves
# must be the same, and each point of the curves must be in an event file of one of its lives.
# A run that ends before it is killed is compared, too, and another one begins, until there were so many kills.
set -eu
if [ "$1" = --needs-data ]; then
  shift
  if [ -z "${WEFT_DATA_DIR:-}" ]; then
    echo "skipped: WEFT_DATA_DIR names no folder with the data"
    exit 0
  fi
fi
kills=$1 seed=$2
shift 2
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

points() { # <folder>: "step,name" of what is in the table of curves
  LC_ALL=C awk -F, 'NR > 1 { print $1 "," $2 }' "$folder/$1/curve.csv" | LC_ALL=C sort -u
}

# The same of what is in all event files. They are records of protocol buffers: 8 bytes of length, 4 of checksum, the
# event, 4 of checksum. Of an event field 2 is the step and field 5 the summary, whose fields 1 are values, whose field
# 1 is the name.
events() { # <folder>
  for file in "$folder/$1"/events.out.tfevents.*; do
    od -An -v -tu1 "$file" | LC_ALL=C awk '
      { for (i = 1; i <= NF; i++) byte[n++] = $i + 0 }
      function varint(  v, scale) {
        for (scale = 1; byte[at] >= 128; scale *= 128) v += (byte[at++] - 128) * scale
        return v + byte[at++] * scale
      }
      # Calls itself for what is inside of a field; level 0 is the event, 1 the summary, 2 a value.
      function fields(end, level,  key, size, name) {
        while (at < end) {
          key = varint()
          if (key % 8 == 0) size = varint()
          else if (key % 8 == 1) at += 8
          else if (key % 8 == 5) at += 4
          else {
            size = varint()
            if ((level == 0 && key == 42) || (level == 1 && key == 10)) fields(at + size, level + 1)
            else if (level == 2 && key == 10) {
              for (name = ""; size > 0; size--) name = name sprintf("%c", byte[at++])
              print step "," name
            } else at += size
          }
          if (level == 0 && key == 16) step = size
        }
      }
      # A record that was cut off when the program was killed is none.
      END {
        for (at = 0; at + 12 <= n; at = end + 4) {
          end = at + 12 + byte[at] + 256 * (byte[at + 1] + 256 * (byte[at + 2] + 256 * byte[at + 3]))
          if (end + 4 > n) break
          at += 12
          step = 0
          fields(end, 0)
        }
      }'
  done | LC_ALL=C sort -u
}

# One that was killed between its last checkpoint and the removal of the one before leaves both.
last_checkpoint() { checkpoints "$1" | sort -t _ -k 2n | tail -n 1; } # <folder>

compare() {
  for file in "$folder/whole/$(last_checkpoint whole)" "$folder"/whole/*.png "$folder"/whole/curve.csv; do
    cmp "$file" "$folder/killed/$(basename "$file")" || fail "$(basename "$file") must be the same in both runs"
  done
  [ "$(last_checkpoint killed)" = "$(last_checkpoint whole)" ] || fail "both runs must end with the same checkpoint"
  points whole >"$folder/points"
  [ -s "$folder/points" ] || fail "the run must have curves; got none"
  events killed >"$folder/events"
  missing=$(LC_ALL=C comm -23 "$folder/points" "$folder/events")
  [ -z "$missing" ] || fail "each point of the curves must be in the event files; got none for
$missing
"
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
echo "$killed kills, and $resumed times a run went on: checkpoint, pictures and curves are those of the whole run"
rm -r "$folder"
