// Collectives on grids of processes: values of all kinds of groups, adjoints over the whole grid, jit and vmap inside
// processes, channels and queues, and mistakes.
#include "weft/ops/collectives.h"
#include "harness/errors.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "harness/functions.h"
#include "harness/values.h"
#include "weft/base/error.h"
#include "weft/core/process_grid.h"
#include "weft/ir/parse.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using testing::call;
using testing::error_of;
using testing::jitted;
using testing::pullback;
using testing::pushforward;
using testing::vmapped;
using Ints = std::vector<std::int32_t>;

// Runs f on every process; results by flattened id.
std::vector<Arrays> on_grid(std::int64_t replicas, std::int64_t partitions,
                            const std::function<Arrays(std::int64_t id)>& f) {
  ProcessGrid grid(replicas, partitions, std::chrono::seconds(20));
  std::vector<Arrays> results(static_cast<std::size_t>(replicas * partitions));
  grid.run([&](ProcessId p) {
    const std::int64_t id = p.replica * partitions + p.partition;
    results[static_cast<std::size_t>(id)] = f(id);
  });
  return results;
}
// The same for functions of one array of i32.
std::vector<Ints> ints_on_grid(std::int64_t replicas, std::int64_t partitions,
                               const std::function<Array(std::int64_t id)>& f) {
  std::vector<Ints> r;
  for (const Arrays& a : on_grid(replicas, partitions, [&](std::int64_t id) { return Arrays{f(id)}; }))
    r.push_back(a[0].to_vector<std::int32_t>());
  return r;
}

Array ints(const Ints& v) { return Array(v); }
Array pair_of(std::int64_t id) {
  const auto i = static_cast<std::int32_t>(id);
  return ints({10 * i, 10 * i + 1});
}

ProcessGroups replicas(std::vector<Dims> groups) { return {std::move(groups), 0, false}; }
ProcessGroups with_channel(std::vector<Dims> groups) { return {std::move(groups), 1, false}; }
ProcessGroups flattened(std::vector<Dims> groups) { return {std::move(groups), 1, true}; }

Array summed(const Array& x, const ProcessGroups& g) { return lax::all_reduce(Arrays{x}, ReduceKind::kSum, g)[0]; }

// ---- groups ----

TEST(collectives, groups_of_replicas_leave_partitions_apart) {
  // Ids in a 2 x 2 grid: replica 0 has 0 and 1, replica 1 has 2 and 3.
  EXPECT_EQ(ints_on_grid(2, 2, [](std::int64_t id) { return summed(pair_of(id), replicas({{0, 1}})); }),
            (std::vector<Ints>{{20, 22}, {40, 42}, {20, 22}, {40, 42}}));
  EXPECT_EQ(ints_on_grid(2, 2, [](std::int64_t id) { return summed(pair_of(id), replicas({})); }),
            (std::vector<Ints>{{20, 22}, {40, 42}, {20, 22}, {40, 42}}));
}

TEST(collectives, a_channel_brings_all_partitions_of_the_replicas) {
  EXPECT_EQ(ints_on_grid(2, 2, [](std::int64_t id) { return summed(pair_of(id), with_channel({{0, 1}})); }),
            std::vector<Ints>(4, {60, 64}));
  EXPECT_EQ(ints_on_grid(2, 2, [](std::int64_t id) { return summed(pair_of(id), with_channel({{0}, {1}})); }),
            (std::vector<Ints>{{10, 12}, {10, 12}, {50, 52}, {50, 52}}));
}

TEST(collectives, global_ids_name_processes_one_by_one) {
  EXPECT_EQ(ints_on_grid(2, 2, [](std::int64_t id) { return summed(pair_of(id), flattened({{0, 3}, {1, 2}})); }),
            (std::vector<Ints>{{30, 32}, {30, 32}, {30, 32}, {30, 32}}));
  EXPECT_EQ(ints_on_grid(2, 2, [](std::int64_t id) { return summed(pair_of(id), flattened({})); }),
            std::vector<Ints>(4, {60, 64}));
}

TEST(collectives, groups_of_different_sizes_are_padded) {
  EXPECT_EQ(ints_on_grid(4, 1, [](std::int64_t id) { return summed(pair_of(id), replicas({{0, 1, 3}, {2, -1, -1}})); }),
            (std::vector<Ints>{{40, 43}, {40, 43}, {20, 21}, {40, 43}}));
}

TEST(collectives, a_process_alone_needs_nobody) {
  EXPECT_EQ(summed(pair_of(3), replicas({{0}})).to_vector<std::int32_t>(), (Ints{30, 31}));
  EXPECT_EQ(ints_on_grid(1, 1, [](std::int64_t id) { return summed(pair_of(id), flattened({{0}})); }),
            (std::vector<Ints>{{0, 1}}));
}

// ---- each operation ----

TEST(collectives, all_gather_joins_in_the_order_of_the_group) {
  const auto gather = [](const ProcessGroups& g, int dimension = 0, std::int64_t size = 0) {
    return [=](std::int64_t id) { return lax::all_gather(Arrays{pair_of(id)}, dimension, g, size)[0]; };
  };
  EXPECT_EQ(ints_on_grid(2, 1, gather(replicas({{1, 0}}))), std::vector<Ints>(2, {10, 11, 0, 1}));
  // All partitions of the listed replicas: partition by partition.
  EXPECT_EQ(ints_on_grid(2, 2, gather(with_channel({{0, 1}}), 0, 4)),
            std::vector<Ints>(4, {0, 1, 20, 21, 10, 11, 30, 31}));
  EXPECT_EQ(ints_on_grid(2, 2, gather(flattened({{2, 0}, {3, 1}}))),
            (std::vector<Ints>{{20, 21, 0, 1}, {30, 31, 10, 11}, {20, 21, 0, 1}, {30, 31, 10, 11}}));
  EXPECT_EQ(ints_on_grid(2, 1,
                         [](std::int64_t id) {
                           const Array x = lax::reshape(pair_of(id), Dims{2, 1});
                           return lax::reshape(lax::all_gather(Arrays{x}, 1, replicas({{0, 1}}))[0], Dims{4});
                         }),
            std::vector<Ints>(2, {0, 10, 1, 11}));
}

TEST(collectives, all_gather_takes_several_arrays) {
  const auto results = on_grid(2, 1, [](std::int64_t id) {
    const Array other = Array::full(Dims{1, 1}, f32, static_cast<float>(id));
    return lax::all_gather(Arrays{pair_of(id), other}, 0, replicas({{0, 1}}));
  });
  EXPECT_EQ(results[1][0].to_vector<std::int32_t>(), (Ints{0, 1, 10, 11}));
  EXPECT_EQ(results[1][1].to_vector<float>(), (std::vector<float>{0, 1}));
}

TEST(collectives, all_reduce_has_all_kinds_and_any_computation) {
  const auto reduced = [](ReduceKind kind) {
    return ints_on_grid(4, 1, [=](std::int64_t id) {
      const auto i = static_cast<std::int32_t>(id);
      return lax::all_reduce(Arrays{ints({i + 1, -i, 6 + i})}, kind, replicas({}))[0];
    })[2];
  };
  EXPECT_EQ(reduced(ReduceKind::kSum), (Ints{10, -6, 30}));
  EXPECT_EQ(reduced(ReduceKind::kProd), (Ints{24, 0, 3024}));
  EXPECT_EQ(reduced(ReduceKind::kMax), (Ints{4, 0, 9}));
  EXPECT_EQ(reduced(ReduceKind::kMin), (Ints{1, -3, 6}));
  EXPECT_EQ(reduced(ReduceKind::kAnd), (Ints{0, 0, 0}));
  EXPECT_EQ(reduced(ReduceKind::kOr), (Ints{7, -1, 15}));
  EXPECT_EQ(reduced(ReduceKind::kXor), (Ints{4, -4, 0}));
  // 10 a + b shows the order: that of the group.
  const ir::Jaxpr digits = ir::parse(R"({ lambda ; a:i32[] b:i32[]. let
    c:i32[] = mul a 10:i32[]
    d:i32[] = add c b
  in (d,) })");
  EXPECT_EQ(ints_on_grid(4, 1,
                         [&](std::int64_t id) {
                           const auto i = static_cast<std::int32_t>(id);
                           return lax::all_reduce(Arrays{ints({i, i + 1})}, digits, replicas({{2, 0, 3, 1}}))[0];
                         }),
            std::vector<Ints>(4, {2031, 3142}));
}

TEST(collectives, reduce_scatter_gives_each_its_part) {
  EXPECT_EQ(ints_on_grid(2, 2,
                         [](std::int64_t id) {
                           const auto i = static_cast<std::int32_t>(id);
                           return lax::reduce_scatter(ints({i, 10 + i, 20 + i, 30 + i}), ReduceKind::kSum, 0,
                                                      with_channel({{0, 1}}), 4);
                         }),
            // Places in the group: (0,0), (1,0), (0,1), (1,1).
            (std::vector<Ints>{{6}, {86}, {46}, {126}}));
  EXPECT_EQ(ints_on_grid(2, 1,
                         [](std::int64_t id) {
                           const auto i = static_cast<std::int32_t>(id);
                           return lax::reshape(
                               lax::reduce_scatter(lax::reshape(ints({i, 10 + i, 20 + i, 30 + i}), Dims{2, 2}),
                                                   ReduceKind::kMax, 1, replicas({{0, 1}})),
                               Dims{2});
                         }),
            (std::vector<Ints>{{1, 21}, {11, 31}}));
}

TEST(collectives, all_to_all_sends_parts_to_their_places) {
  const auto table = [](std::int64_t id) {  // 2 x 4, as in the specification
    Ints v;
    for (std::int32_t i = 1; i <= 8; ++i) v.push_back(8 * static_cast<std::int32_t>(id) + i);
    return lax::reshape(ints(v), Dims{2, 4});
  };
  const auto exchanged = [&](int split, int concat, const ProcessGroups& g, std::int64_t r, std::int64_t p) {
    return ints_on_grid(r, p, [&](std::int64_t id) {
      return lax::reshape(lax::all_to_all(Arrays{table(id)}, split, concat, 2, g)[0], Dims{8});
    });
  };
  const std::vector<Ints> want{{1, 2, 5, 6, 9, 10, 13, 14}, {3, 4, 7, 8, 11, 12, 15, 16}};
  EXPECT_EQ(exchanged(1, 0, replicas({{0, 1}}), 2, 1), want);
  EXPECT_EQ(exchanged(1, 0, with_channel({{0, 1}}), 1, 2), want);
  EXPECT_EQ(exchanged(1, 0, replicas({{1, 0}}), 2, 1),
            (std::vector<Ints>{{11, 12, 15, 16, 3, 4, 7, 8}, {9, 10, 13, 14, 1, 2, 5, 6}}));
  EXPECT_EQ(exchanged(0, 0, replicas({{0, 1}}), 2, 1),
            (std::vector<Ints>{{1, 2, 3, 4, 9, 10, 11, 12}, {5, 6, 7, 8, 13, 14, 15, 16}}));
}

TEST(collectives, collective_broadcast_gives_zeros_to_outsiders) {
  EXPECT_EQ(
      ints_on_grid(4, 1, [](std::int64_t id) { return lax::collective_broadcast(pair_of(id), replicas({{2, 1}})); }),
      (std::vector<Ints>{{0, 0}, {20, 21}, {20, 21}, {0, 0}}));
  EXPECT_EQ(ints_on_grid(
                2, 2, [](std::int64_t id) { return lax::collective_broadcast(pair_of(id), with_channel({{1, 0}})); }),
            (std::vector<Ints>{{10, 11}, {10, 11}, {30, 31}, {30, 31}}));
}

TEST(collectives, collective_reduce_is_for_the_first_of_the_group) {
  EXPECT_EQ(ints_on_grid(4, 1,
                         [](std::int64_t id) {
                           return lax::collective_reduce(pair_of(id), ReduceKind::kSum, replicas({{2, 0, 3}}));
                         }),
            (std::vector<Ints>{{0, 0}, {0, 0}, {50, 53}, {0, 0}}));
}

TEST(collectives, collective_permute_follows_its_pairs) {
  const std::vector<Dims> chain{{0, 1}, {1, 2}, {3, 3}}, ring{{0, 1}, {1, 2}, {2, 3}, {3, 0}};
  const auto permuted = [](const std::vector<Dims>& pairs, std::int64_t channel) {
    return [&pairs, channel](std::int64_t id) { return lax::collective_permute(pair_of(id), pairs, channel); };
  };
  EXPECT_EQ(ints_on_grid(4, 1, permuted(chain, 0)), (std::vector<Ints>{{0, 0}, {0, 1}, {10, 11}, {30, 31}}));
  EXPECT_EQ(ints_on_grid(4, 1, permuted(ring, 0)), (std::vector<Ints>{{30, 31}, {0, 1}, {10, 11}, {20, 21}}));
  EXPECT_EQ(ints_on_grid(1, 4, permuted(ring, 1)), (std::vector<Ints>{{30, 31}, {0, 1}, {10, 11}, {20, 21}}));
  const std::vector<Dims> swap{{0, 1}, {1, 0}};
  EXPECT_EQ(ints_on_grid(2, 2, permuted(swap, 0)), (std::vector<Ints>{{20, 21}, {30, 31}, {0, 1}, {10, 11}}));
  EXPECT_EQ(ints_on_grid(2, 2, permuted(swap, 1)), (std::vector<Ints>{{10, 11}, {0, 1}, {30, 31}, {20, 21}}));
}

TEST(collectives, ids_are_those_of_the_process) {
  const auto results = on_grid(2, 3, [](std::int64_t) { return Arrays{lax::replica_id(), lax::partition_id()}; });
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(results[i][0].item<std::uint32_t>(), i / 3);
    EXPECT_EQ(results[i][1].item<std::uint32_t>(), i % 3);
    EXPECT_EQ(results[i][0].aval(), Aval(u32, {}));
  }
}

TEST(collectives, a_jitted_program_gives_the_same_in_every_process) {
  const FlatFunction f = [](std::span<const Array> a, Arrays& outs) {
    const Array id = lax::convert(lax::replica_id(), i32);
    outs = lax::all_gather(Arrays{lax::add(a[0], lax::broadcast_in_dim(id, Dims{2}, Dims{}))}, 0, replicas({{0, 1}}));
  };
  for (const FlatFunction& g : {f, jitted(f), jitted(jitted(f))})
    EXPECT_EQ(ints_on_grid(2, 1, [&](std::int64_t id) { return call(g, Arrays{pair_of(id)})[0]; }),
              std::vector<Ints>(2, {0, 1, 11, 12}));
}

TEST(collectives, one_whose_result_nobody_uses_still_happens) {
  // Else the process that uses it would wait.
  const auto used = [](std::span<const Array> a, Arrays& outs) { outs.push_back(summed(a[0], replicas({}))); };
  const auto unused = [](std::span<const Array> a, Arrays& outs) {
    summed(a[0], replicas({}));
    outs.push_back(a[0]);
  };
  EXPECT_EQ(ints_on_grid(2, 1,
                         [&](std::int64_t id) {
                           return call(jitted(id ? FlatFunction(used) : FlatFunction(unused)), Arrays{pair_of(id)})[0];
                         }),
            (std::vector<Ints>{{0, 1}, {10, 12}}));
}

// ---- derivatives ----

struct Linear {
  const char* name;
  std::int64_t replicas, partitions;
  std::function<Array(const Array&)> f;
};

// All that are linear, as functions of f64[2,4].
std::vector<Linear> linear_collectives() {
  const ir::Jaxpr add = ir::parse("{ lambda ; a:f64[] b:f64[]. let c:f64[] = add a b in (c,) }");
  const auto list = [](const Array& x) { return Arrays{x}; };
  return {
      {"all_gather", 2, 2, [=](const Array& x) { return lax::all_gather(list(x), 1, with_channel({{1, 0}}), 4)[0]; }},
      {"all_gather of replicas", 4, 1,
       [=](const Array& x) { return lax::all_gather(list(x), 0, replicas({{0, 2}, {3, 1}}))[0]; }},
      {"all_reduce", 2, 2, [=](const Array& x) { return summed(x, flattened({{0, 3}, {1, 2}})); }},
      {"all_reduce computed", 4, 1,
       [=](const Array& x) { return lax::all_reduce(list(x), add, replicas({{0, 1, 3}, {2}}))[0]; }},
      {"all_to_all", 2, 2,
       [=](const Array& x) { return lax::all_to_all(list(x), 1, 0, 2, with_channel({{1, 0}}))[0]; }},
      {"all_to_all of one axis", 4, 1,
       [=](const Array& x) { return lax::all_to_all(list(x), 1, 1, 4, replicas({}))[0]; }},
      {"reduce_scatter", 2, 2,
       [](const Array& x) { return lax::reduce_scatter(x, ReduceKind::kSum, 1, with_channel({}), 4); }},
      {"collective_broadcast", 4, 1,
       [](const Array& x) { return lax::collective_broadcast(x, replicas({{2, 0, 1}})); }},
      {"collective_reduce", 2, 2,
       [](const Array& x) { return lax::collective_reduce(x, ReduceKind::kSum, with_channel({{1, 0}})); }},
      {"collective_permute", 4, 1,
       [](const Array& x) { return lax::collective_permute(x, std::vector<Dims>{{0, 2}, {2, 2 + 1}, {1, 1}}); }},
      {"alone", 1, 1, [](const Array& x) { return summed(x, replicas({{0}})); }},
  };
}

TEST(collectives, transposition_is_the_adjoint_over_the_whole_grid) {
  const Aval type(f64, Dims{2, 4});
  for (const Linear& op : linear_collectives()) {
    const FlatFunction f = [&](std::span<const Array> a, Arrays& outs) { outs.push_back(op.f(a[0])); };
    for (const bool jit : {false, true}) {
      std::mutex mutex;
      double forward = 0, backward = 0;
      on_grid(op.replicas, op.partitions, [&](std::int64_t id) {
        const int salt = static_cast<int>(id);
        const Array x = testing::draw(type, salt), t = testing::draw(type, 10 + salt);
        const FlatFunction g = jit ? jitted(f) : f;
        const Array y = call(g, Arrays{x})[0];
        const Array ct = testing::draw(y.aval(), 20 + salt);
        const Array jt = call(pushforward(g, 1, {0}), Arrays{x, t})[0],
                    jct = call(pullback(g, 1, {0}), Arrays{x, ct})[0];
        // Linear: the derivative is the function.
        EXPECT_EQ(testing::difference(jt, call(g, Arrays{t})[0], 1e-14), "") << op.name;
        const std::lock_guard lock(mutex);
        forward += testing::pairing(ct, jt);
        backward += testing::pairing(jct, t);
        return Arrays{};
      });
      EXPECT_NEAR(forward, backward, 1e-12) << op.name << (jit ? ", jitted" : "");
      EXPECT_NE(forward, 0) << op.name;
    }
  }
}

TEST(collectives, the_largest_of_all_processes_has_the_gradient) {
  const auto results = on_grid(3, 1, [](std::int64_t id) {
    const Array x(std::vector<double>{id == 1 ? 5.0 : 1.0, 2.0}), ones = Array::full(Dims{2}, f64, 1.0);
    const FlatFunction f = [](std::span<const Array> a, Arrays& outs) {
      outs.push_back(lax::all_reduce(Arrays{a[0]}, ReduceKind::kMax, replicas({}))[0]);
    };
    return Arrays{call(pullback(f, 1, {0}), Arrays{x, ones})[0]};
  });
  // Each of three processes has a result, so the gradients of all three come together; ties share.
  EXPECT_EQ(results[0][0].to_vector<double>(), (std::vector<double>{0, 1}));
  EXPECT_EQ(results[1][0].to_vector<double>(), (std::vector<double>{3, 1}));
}

TEST(collectives, vmap_does_to_examples_what_a_loop_does) {
  const Aval type(f64, Dims{2, 4});
  for (const Linear& op : linear_collectives()) {
    on_grid(op.replicas, op.partitions, [&](std::int64_t id) {
      const FlatFunction f = [&](std::span<const Array> a, Arrays& outs) { outs.push_back(op.f(a[0])); };
      Arrays examples, results;
      for (int e = 0; e < 3; ++e) {
        examples.push_back(testing::draw(type, static_cast<int>(id) + 10 * e));
        results.push_back(op.f(examples.back()));
      }
      for (int axis = 0; axis < 3; ++axis)
        EXPECT_EQ(testing::difference(call(vmapped(f, {axis}, 3), Arrays{testing::stacked(examples, axis)})[0],
                                      testing::stacked(results, 0), 0),
                  "")
            << op.name;
      return Arrays{};
    });
  }
}

TEST(collectives, reductions_without_a_rule_say_so) {
  const FlatFunction f = [](std::span<const Array> a, Arrays& outs) {
    outs = lax::all_reduce(a, ReduceKind::kProd, replicas({{0}}));
  };
  const Array x(1.0);
  EXPECT_EQ(
      error_of([&] { call(pushforward(f, 1, {0}), Arrays{x, x}); }),
      "NotDifferentiableError: all_reduce: only sums, maxima and minima over processes have derivatives; got another "
      "reduction.");
}

// ---- channels and queues ----

TEST(channels, what_is_sent_to_the_host_can_be_received_by_a_process) {
  const TransferParams to_host{1, 2, true, {}, {}};
  TransferParams from_host{1, 3, true, {}, {Aval(i32, Dims{2})}};
  EXPECT_EQ(ints_on_grid(2, 1,
                         [&](std::int64_t id) {
                           if (id == 0) {
                             lax::send(Arrays{pair_of(1)}, to_host);
                             lax::send(Arrays{pair_of(2)}, to_host);
                             return pair_of(0);
                           }
                           const Array first = lax::recv(from_host)[0], second = lax::recv(from_host)[0];
                           return lax::concatenate({first, second}, 0);
                         }),
            (std::vector<Ints>{{0, 1}, {10, 11, 20, 21}}));
}

TEST(channels, the_host_can_send_and_receive) {
  ProcessGrid grid(1, 1);
  grid.host().send(4, {pair_of(3)});
  grid.run([](ProcessId) {
    const Array x = lax::recv({4, 3, true, {}, {Aval(i32, Dims{2})}})[0];
    lax::send(Arrays{lax::add(x, 1)}, {5, 2, true, {}, {}});
  });
  EXPECT_EQ(grid.host().receive(5)[0].to_vector<std::int32_t>(), (Ints{31, 32}));
}

TEST(channels, processes_send_to_their_targets) {
  // 0 -> 2 -> 1; nobody sends to 0.
  const std::vector<Dims> pairs{{0, 2}, {2, 1}};
  const auto f = [&](std::span<const Array> a, Arrays& outs) {
    lax::send(a, {9, 1, false, pairs, {}});
    outs = lax::recv({9, 1, false, pairs, {Aval(i32, Dims{2})}});
  };
  for (const FlatFunction& g : {FlatFunction(f), jitted(f)})
    EXPECT_EQ(ints_on_grid(3, 1, [&](std::int64_t id) { return call(g, Arrays{pair_of(id)})[0]; }),
              (std::vector<Ints>{{0, 0}, {20, 21}, {0, 1}}));
}

TEST(channels, vmap_sends_one_message_per_example) {
  ProcessGrid grid(1, 1);
  grid.run([](ProcessId) {
    const FlatFunction f = [](std::span<const Array> a, Arrays&) { lax::outfeed(a); };
    call(vmapped(f, {1}, 2), Arrays{lax::reshape(ints({1, 2, 3, 4}), Dims{2, 2})});
  });
  EXPECT_EQ(grid.host().take_outfeed()[0].to_vector<std::int32_t>(), (Ints{1, 3}));
  EXPECT_EQ(grid.host().take_outfeed()[0].to_vector<std::int32_t>(), (Ints{2, 4}));
}

TEST(channels, infeed_and_outfeed_are_queues) {
  ProcessGrid grid(1, 1);
  grid.host().feed({pair_of(1), Array(2.5f)});
  grid.host().feed({pair_of(2), Array(3.5f)});
  const FlatFunction f = [](std::span<const Array>, Arrays& outs) {
    for (int i = 0; i < 2; ++i) {
      const Arrays in = lax::infeed({Aval(i32, Dims{2}), Aval(f32, {})});
      lax::outfeed(Arrays{in[1], lax::add(in[0], 1)});
      outs.push_back(in[0]);
    }
  };
  grid.run([&](ProcessId) {
    const Arrays outs = call(jitted(f), {});
    EXPECT_EQ(outs[0].to_vector<std::int32_t>(), (Ints{10, 11}));
    EXPECT_EQ(outs[1].to_vector<std::int32_t>(), (Ints{20, 21}));
  });
  EXPECT_EQ(grid.host().take_outfeed()[1].to_vector<std::int32_t>(), (Ints{11, 12}));
  EXPECT_EQ(grid.host().take_outfeed()[0].item<float>(), 3.5f);
}

TEST(channels, messages_of_other_types_are_refused) {
  default_host().feed({Array(1)});
  EXPECT_EQ(error_of([] { lax::infeed({Aval(f32, {})}); }),
            "DTypeError: infeed: value 0 of a message must have type f32[]; got i32[].");
  default_host().feed({Array(1)});
  EXPECT_EQ(error_of([] { lax::infeed({Aval(i32, Dims{1})}); }),
            "ShapeError: infeed: value 0 of a message must have type i32[1]; got i32[].");
  default_host().feed({Array(1)});
  EXPECT_EQ(error_of([] { lax::infeed({}); }), "ShapeError: infeed: there must be 0 values in a message; got 1.");
}

TEST(channels, derivatives_do_not_go_through) {
  const FlatFunction f = [](std::span<const Array> a, Arrays& outs) {
    lax::send(a, {6, 2, true, {}, {}});
    outs.push_back(a[0]);
  };
  const Array x(1.0);
  EXPECT_EQ(error_of([&] { call(pullback(f, 1, {0}), Arrays{x, x}); }),
            "NotDifferentiableError: send: derivatives do not go through channels; got a tangent for an operand.");
}

// ---- mistakes ----

TEST(collectives, parameters_that_make_no_sense_are_refused) {
  const Array x = pair_of(0);
  const auto permute = [&](std::vector<Dims> pairs) { return error_of([&] { lax::collective_permute(x, pairs); }); };
  EXPECT_EQ(permute({{0, 1}, {0, 2}}), "ValueError: collective_permute: no process may be twice a source; got 0.");
  EXPECT_EQ(permute({{0, 1}, {2, 1}}), "ValueError: collective_permute: no process may be twice a target; got 1.");
  EXPECT_EQ(permute({{0, 1, 2}}), "ValueError: collective_permute: source_target_pairs must be pairs; got [0,1,2].");
  EXPECT_EQ(permute({{0, -1}}), "ValueError: collective_permute: ids must not be negative; got [0,-1].");
  EXPECT_EQ(error_of([&] { summed(x, replicas({{0, 0}})); }),
            "ValueError: all_reduce: groups must hold each id once; got 0 twice.");
  EXPECT_EQ(error_of([&] { summed(x, replicas({{-2}})); }),
            "ValueError: all_reduce: groups must hold ids, or -1; got -2.");
  EXPECT_EQ(error_of([&] { summed(x, {{{0}}, 0, true}); }),
            "ValueError: all_reduce: global device ids need a channel; got channel_id 0.");
  EXPECT_EQ(error_of([&] { lax::all_gather(Arrays{x}, 0, replicas({})); }),
            "ValueError: all_gather: the size of a group must be positive; got group_size 0 and no groups.");
  EXPECT_EQ(error_of([&] { lax::all_gather(Arrays{x}, 0, replicas({{0}}), INT64_MAX); }),
            "ShapeError: all_gather: the result must be of a size below 2^62; got 9223372036854775807 times i32[2].");
  EXPECT_EQ(error_of([&] { lax::reduce_scatter(x, ReduceKind::kSum, 0, replicas({{0, 1, 2}})); }),
            "ShapeError: reduce_scatter: the axis must divide into one part per process; got axis 0 of i32[2] for 3 "
            "processes.");
  EXPECT_EQ(error_of([&] { lax::all_to_all(Arrays{x}, 0, 0, 0, replicas({{0}})); }),
            "ValueError: all_to_all: split_count must be positive; got 0.");
}

TEST(collectives, groups_that_the_grid_does_not_have_are_refused) {
  const Array x = pair_of(0);
  EXPECT_EQ(error_of([&] { summed(x, replicas({{0, 1}})); }),
            "BackendError: all_reduce: groups must hold ids below 1; got 1 in a grid of 1 replicas of 1 partitions.");
  EXPECT_EQ(
      error_of([&] { on_grid(2, 1, [](std::int64_t id) { return Arrays{summed(pair_of(id), replicas({{0}}))}; }); }),
      "BackendError: all_reduce: every process must be in a group; got none for process (replica 1, partition 0).");
  EXPECT_EQ(error_of([&] { lax::all_gather(Arrays{x}, 0, replicas({{0}}), 2); }),
            "BackendError: all_gather: groups must have 2 processes, as the type of the result says; got one of 1.");
}

TEST(collectives, processes_that_run_different_programs_get_an_error) {
  const std::string error = error_of([] {
    on_grid(2, 1, [](std::int64_t id) {
      const Array x = id ? pair_of(id) : ints({1, 2, 3});
      return Arrays{summed(x, replicas({{0, 1}}))};
    });
  });
  EXPECT_EQ(
      error,
      "BackendError: all_reduce: all processes of a group must take part; got process (replica 0, partition 0) waits "
      "in all_reduce: i32[3] on channel 0; process (replica 1, partition 0) waits in all_reduce: i32[2] on channel "
      "0.");
}

}  // namespace
}  // namespace weft
