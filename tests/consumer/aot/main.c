/* What a program of C does with a model that was compiled ahead of time. Fails when a value is wrong. */
#include <stdio.h>

#include "model.h"

int main(void) {
  const float x[2] = {1, 2}, w[6] = {1, 2, 3, 4, -5, 6};
  float y[3];
  _Alignas(64) char workspace[MODEL_WORKSPACE_BYTES];
  if (model_call(x, w, y, workspace) != 0) return 1;
  printf("%g %g %g\n", y[0], y[1], y[2]);
  return y[0] == 9 && y[1] == 0 && y[2] == 15 ? 0 : 1;
}
