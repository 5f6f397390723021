/* Balances a pole on a cart with the policy of make_policy.cc: plain C, which links policy.o and libm. */
#include <math.h>
#include <stdio.h>

#include "policy.h"

struct Cart {
  float position, speed, angle, turning;
};

static void step(struct Cart* cart, float force) {
  const float s = sinf(cart->angle), c = cosf(cart->angle);
  const float push = (10 * force + 0.05f * cart->turning * cart->turning * s) / 1.1f;
  const float turns = (9.8f * s - c * push) / (0.5f * (4.0f / 3 - 0.1f * c * c / 1.1f));
  const float moves = push - 0.05f * turns * c / 1.1f;
  cart->position += 0.02f * cart->speed;
  cart->speed += 0.02f * moves;
  cart->angle += 0.02f * cart->turning;
  cart->turning += 0.02f * turns;
}

int main(void) {
  static _Alignas(64) char workspace[POLICY_WORKSPACE_BYTES];
  struct Cart cart = {0.0f, 0.0f, 0.3f, 0.0f};
  for (int i = 0; i < 500; ++i) {
    if (i % 50 == 0) printf("%4.1f s: cart at %+.2f m, pole at %+.3f rad\n", 0.02 * i, cart.position, cart.angle);
    float force;
    if (policy_call(&cart.position, &force, workspace) != 0) return 1;
    step(&cart, force);
    if (fabsf(cart.angle) > 1) {
      printf("the pole fell after %.1f s\n", 0.02 * i);
      return 1;
    }
  }
  printf("the pole stood for 10 s\n");
  return 0;
}
