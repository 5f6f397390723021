/* Runs every program of table.h once: inputs from the first file, results to the second. Says on what is wrong and ends
 * with 1 when a program fails, changes an input, or writes beside its outputs or its workspace. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct array {
  size_t bytes, alignment;
};
struct program {
  int32_t (*run)(const void* const*, void* const*, void*);
  size_t workspace;
  size_t num_inputs;
  const struct array* inputs;
  size_t num_outputs;
  const struct array* outputs;
};
#include "table.h"

enum { kGuard = 256, kMost = 256 };
static const unsigned char kGarbage = 0xa5;

/* Memory between two guards, aligned to `alignment` and to no more, all of it garbage. */
struct memory {
  unsigned char *block, *data;
  size_t bytes, size;
};
static struct memory take(size_t bytes, size_t alignment) {
  struct memory m;
  m.bytes = bytes;
  m.size = (kGuard + alignment % 64 + bytes + kGuard + 63) / 64 * 64;
  m.block = aligned_alloc(64, m.size);
  if (!m.block) exit(3);
  memset(m.block, kGarbage, m.size);
  m.data = m.block + kGuard + alignment % 64;
  return m;
}
static int is_guarded(const struct memory* m) {
  for (const unsigned char* p = m->block; p < m->block + m->size; ++p)
    if ((p < m->data || p >= m->data + m->bytes) && *p != kGarbage) return 0;
  return 1;
}

static int run(size_t number, const struct program* p, FILE* in, FILE* out) {
  static struct memory inputs[kMost], outputs[kMost];
  static unsigned char* copies[kMost];
  const void* from[kMost] = {0};
  void* to[kMost] = {0};
  int faults = 0;
  if (p->num_inputs > kMost || p->num_outputs > kMost) return 1;
  for (size_t i = 0; i < p->num_inputs; ++i) {
    const size_t bytes = p->inputs[i].bytes;
    inputs[i] = take(bytes, p->inputs[i].alignment);
    if (fread(inputs[i].data, 1, bytes, in) != bytes) exit(4);
    copies[i] = malloc(bytes + 1);
    memcpy(copies[i], inputs[i].data, bytes);
    from[i] = inputs[i].data;
  }
  for (size_t i = 0; i < p->num_outputs; ++i) {
    outputs[i] = take(p->outputs[i].bytes, p->outputs[i].alignment);
    to[i] = outputs[i].data;
  }
  struct memory workspace = take(p->workspace, 64);
  printf("program %zu\n", number);
  fflush(stdout);
  if (p->run(from, to, workspace.data) != 0) ++faults, printf("program %zu fails\n", number);
  if (!is_guarded(&workspace)) ++faults, printf("program %zu writes beside its workspace\n", number);
  for (size_t i = 0; i < p->num_inputs; ++i) {
    if (!is_guarded(&inputs[i]) || memcmp(copies[i], inputs[i].data, inputs[i].bytes) != 0)
      ++faults, printf("program %zu writes to input %zu\n", number, i);
    free(inputs[i].block);
    free(copies[i]);
  }
  for (size_t i = 0; i < p->num_outputs; ++i) {
    if (!is_guarded(&outputs[i])) ++faults, printf("program %zu writes beside output %zu\n", number, i);
    if (fwrite(outputs[i].data, 1, outputs[i].bytes, out) != outputs[i].bytes) exit(5);
    free(outputs[i].block);
  }
  free(workspace.block);
  return faults;
}

int main(int argc, char** argv) {
  FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL, *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
  if (!in || !out) return 2;
  int faults = 0;
  for (size_t i = 0; i < sizeof programs / sizeof *programs; ++i) faults += run(i, &programs[i], in, out);
  return fclose(out) != 0 || faults != 0;
}
