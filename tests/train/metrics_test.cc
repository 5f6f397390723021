#include "train/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/errors.h"
#include "train/common_utils.h"
#include "train/data.h"
#include "train/msgpack.h"
#include "weft/base/error.h"
#include "weft/weft.h"

namespace weft::train::metrics {
namespace {

using testing::message_of;

Array rows(std::initializer_list<std::initializer_list<float>> values) { return np::array(values); }
Array ints(const std::vector<std::int32_t>& values) { return Array(values); }
Array bools(const std::vector<bool>& values) { return Array(values); }

ModelOutput golden_batch(const std::vector<std::int32_t>& labels, const std::vector<float>& loss) {
  return {{"logits", rows({{-1, 1}, {1, -1}})}, {"labels", ints(labels)}, {"loss", Array(loss)}};
}

struct Golden {
  FromOutput<Average, "loss"> loss;
  Accuracy accuracy;
};

// GOLDEN.md 196: clu_synopsis.ipynb.
TEST(metrics, values_are_those_of_clus_synopsis) {
  const auto batch1 = golden_batch({0, 0}, {3.3f, 2.2f}), batch2 = golden_batch({1, 0}, {2.2f, 1.1f});
  EXPECT_FLOAT_EQ(
      Accuracy::from_model_output(batch1).merge(Accuracy::from_model_output(batch2)).compute().item<float>(), 0.75f);
  EXPECT_FLOAT_EQ(Average::of(Array(std::vector<float>{1.1f, 3.3f})).compute().item<float>(), 2.2f);
  const Golden all = merge(from_model_output<Golden>(batch1), from_model_output<Golden>(batch2));
  const auto values = scalars(all);
  EXPECT_EQ(values.size(), 2u);
  EXPECT_FLOAT_EQ(static_cast<float>(values.at("loss")), 2.2f);
  EXPECT_FLOAT_EQ(static_cast<float>(values.at("accuracy")), 0.75f);
}

// A metric of one's own, from the same notebook.
struct Precision {
  Array true_positives, pred_positives;
  static Precision empty() { return {Array(0), Array(0)}; }
  static Precision from_model_output(const ModelOutput& outputs) {
    const Array preds = np::argmax(outputs.at("logits"), -1), labels = outputs.at("labels");
    return {np::count_nonzero((preds == 1) & (labels == 1)), np::count_nonzero(preds == 1)};
  }
  Precision merge(const Precision& o) const {
    return {true_positives + o.true_positives, pred_positives + o.pred_positives};
  }
  Array compute() const { return true_positives / pred_positives; }
};
static_assert(Metric<Precision>);
static_assert(Metric<Average> && Metric<Std> && Metric<LastValue> && Metric<Accuracy> && Metric<Collecting<"a">>);
static_assert(Metric<FromOutput<Std, "loss">> && !Metric<Golden>);

TEST(metrics, own_metrics_merge_as_they_say) {
  const Precision one = Precision::from_model_output({{"logits", rows({{-1, 1}, {1, -1}})}, {"labels", ints({1, 1})}});
  const Precision two = Precision::from_model_output({{"logits", rows({{-1, 1}, {-1, 1}})}, {"labels", ints({1, 0})}});
  EXPECT_FLOAT_EQ(compute(merge(one, two)).at("").item<float>(), 0.6666667f);
}

// clu/metrics_test.py, test_average_masked.
TEST(metrics, averages_take_masks_of_examples_and_of_elements) {
  const auto mean = [](const Array& values, const Array& mask = {}) {
    return Average::of(values, mask).compute().item<float>();
  };
  const Array two_d = rows({{1, 2}, {2, 3}, {3, 4}});
  EXPECT_EQ(mean(Array(1.0f)), 1);
  EXPECT_EQ(mean(ints({1, 2, 3})), 2);
  EXPECT_EQ(mean(ints({1, 2, 3}), bools({true, true, false})), 1.5f);
  EXPECT_EQ(mean(two_d), 2.5f);
  EXPECT_EQ(mean(two_d, bools({false, true, true})), 3);
  EXPECT_FLOAT_EQ(mean(two_d, np::reshape(bools({false, true, true, true, true, true}), {3, 2})), 2.8f);
  const Array three_d = np::reshape(ints({1, 2, 2, 3, 2, 1, 3, 4, 3, 1, 4, 1}), {3, 2, 2});
  EXPECT_EQ(mean(three_d), 2.25f);
  EXPECT_EQ(mean(three_d, bools({false, true, true})), 2.375f);
  EXPECT_TRUE(std::isnan(mean(two_d, bools({false, false, false}))));
  EXPECT_EQ(message_of<ShapeError>([&] { mean(two_d, bools({true, true})); }),
            "Average: the mask must have the first size of the values, and no more axes; got bool[2] for f32[3,2].");
  EXPECT_THROW(mean(ints({1}), np::reshape(bools({true}), {1, 1})), ShapeError);
}

TEST(metrics, masks_of_another_size_do_not_apply_to_an_output) {
  using Loss = FromOutput<Average, "loss">;
  const ModelOutput outputs{{"loss", Array(3.0f)}, {"mask", bools({true, false})}};
  EXPECT_EQ(Loss::from_model_output(outputs).compute().item<float>(), 3);
  const ModelOutput each{{"loss", Array(std::vector<float>{3, 5})}, {"mask", bools({true, false})}};
  EXPECT_EQ(Loss::from_model_output(each).compute().item<float>(), 3);
}

TEST(metrics, deviations_follow_from_sums) {
  const auto deviation = [](const Std& s) { return s.compute().item<float>(); };
  EXPECT_FLOAT_EQ(deviation(Std::of(ints({1, 3}))), 1);
  EXPECT_EQ(deviation(Std::of(Array(std::vector<float>{0.1f, 0.1f, 0.1f}))), 0);
  const Std halves = Std::of(Array(std::vector<float>{1, 2})).merge(Std::of(Array(std::vector<float>{3, 4})));
  EXPECT_FLOAT_EQ(deviation(halves), std::sqrt(1.25f));
  EXPECT_FLOAT_EQ(deviation(Std::of(Array(std::vector<float>{1, 100}), bools({true, false}))), 0);
  EXPECT_FLOAT_EQ(deviation(Std::of(ints({16, 20}).astype(u8))), 2);
  EXPECT_FLOAT_EQ(deviation(Std::of(ints({0, 100000}))), 50000);
}

TEST(metrics, the_last_value_is_that_of_the_last_batch_and_the_mean_over_devices) {
  const LastValue one = LastValue::of(ints({1, 2})), two = LastValue::of(ints({3, 4}));
  EXPECT_EQ(LastValue::empty().merge(one).compute().item<float>(), 1.5f);
  EXPECT_EQ(one.merge(two).compute().item<float>(), 3.5f);
  EXPECT_EQ(reduce(stack_forest(std::vector{one, two})).compute().item<float>(), 2.5f);
  const LastValue none = LastValue::of(ints({3, 4}), bools({false, false}));
  EXPECT_EQ(reduce(stack_forest(std::vector{one, none})).compute().item<float>(), 1.5f);
  EXPECT_TRUE(std::isnan(none.compute().item<float>()));
  // Merging with nothing changes nothing.
  EXPECT_EQ(one.merge(LastValue::empty()).compute().item<float>(), 1.5f);
  EXPECT_EQ(one.merge(none).compute().item<float>(), 1.5f);
  EXPECT_EQ(jit([](const LastValue& a, const LastValue& b) { return a.merge(b); })(one, two).compute().item<float>(),
            3.5f);
}

TEST(metrics, small_floats_are_summed_in_f32) {
  const Array many = np::full({4096}, 1.0f).astype(bf16);
  EXPECT_EQ(Average::of(many).total.dtype(), f32);
  EXPECT_EQ(Average::of(many).merge(Average::of(many)).total.item<float>(), 8192);
}

TEST(metrics, functions_make_values_of_outputs) {
  using Squared = FromFun<Average, [](const ModelOutput& o) { return o.at("loss") * o.at("loss"); }>;
  EXPECT_FLOAT_EQ(Squared::from_model_output({{"loss", Array(std::vector<float>{1, 3})}}).compute().item<float>(), 5);
  using Head = FromFun<Accuracy, [](const ModelOutput& o) {
    return ModelOutput{{"logits", o.at("head")}, {"labels", o.at("labels")}, {"mask", o.at("head_mask")}};
  }>;
  struct Heads {
    Head head1;
    FromOutput<LastValue, "rate"> rate;
  };
  const auto m = from_model_output<Heads>({{"head", rows({{-1, 1}, {1, -1}})},
                                           {"labels", ints({0, 0})},
                                           {"head_mask", bools({true, false})},
                                           {"rate", Array(0.5f)}});
  EXPECT_EQ(scalars(m).at("head1"), 0);
  EXPECT_EQ(scalars(m).at("rate"), 0.5);
}

// clu/metrics.py, from_fun: the mask goes to all outputs that a function makes, unless they bring one, if it fits.
TEST(metrics, outputs_that_functions_make_have_the_mask) {
  using Head = FromFun<Accuracy, [](const ModelOutput& o) {
    return ModelOutput{{"logits", o.at("head")}, {"labels", o.at("labels")}};
  }>;
  ModelOutput outputs{{"head", rows({{-1, 1}, {1, -1}})}, {"labels", ints({0, 0})}, {"mask", bools({true, false})}};
  EXPECT_EQ(Head::from_model_output(outputs).compute().item<float>(), 0);
  outputs["mask"] = bools({false, true});
  EXPECT_EQ(Head::from_model_output(outputs).compute().item<float>(), 1);
  outputs["mask"] = bools({false, true, true});
  EXPECT_EQ(Head::from_model_output(outputs).compute().item<float>(), 0.5f);
  using Own = FromFun<Accuracy, [](const ModelOutput& o) {
    return ModelOutput{{"logits", o.at("head")}, {"labels", o.at("labels")}, {"mask", o.at("own")}};
  }>;
  outputs["mask"] = bools({false, false});
  outputs["own"] = bools({true, false});
  EXPECT_EQ(Own::from_model_output(outputs).compute().item<float>(), 0);
}

// The last batch of an epoch is filled with zeros, which are no examples.
TEST(metrics, padding_does_not_count_for_what_functions_make) {
  using Head = FromFun<Accuracy, [](const ModelOutput& o) {
    return ModelOutput{{"logits", o.at("logits")}, {"labels", o.at("labels")}};
  }>;
  Pipeline data(ints({1, 1, 1}), {.batch_size = 2, .shuffle = false, .remainder = Remainder::kPad, .num_epochs = 1});
  Head sum = Head::empty();
  while (const auto batch = data.next()) {
    const Array logits = rows({{0, 1}, {0, 1}});  // always says 1, which padding, 0, is not
    sum = sum.merge(Head::from_model_output({{"logits", logits}, {"labels", batch->examples}, {"mask", batch->mask}}));
  }
  EXPECT_EQ(sum.compute().item<float>(), 1);
}

struct Train {
  Accuracy accuracy;
  FromOutput<LastValue, "learning_rate"> learning_rate;
};
struct Both {
  Train train;
  FromOutput<Std, "loss"> spread;
};

// clu/metrics_test.py: model_outputs.
std::vector<ModelOutput> clu_outputs() {
  return {{{"logits", rows({{1, 0}, {0, 1}})},
           {"labels", ints({0, 0})},
           {"learning_rate", Array(0.02f)},
           {"loss", Array(4.2f)}},
          {{"logits", rows({{1, 2}, {3, 4}})},
           {"labels", ints({1, 1})},
           {"learning_rate", Array(0.01f)},
           {"loss", Array(1.7f)}}};
}

TEST(metrics, collections_go_through_jit_and_structs_in_structs_have_paths) {
  const auto step = jit([](const Both& sum, const ModelOutput& o) { return merge(sum, from_model_output<Both>(o)); });
  auto sum = empty<Both>();
  for (const ModelOutput& o : clu_outputs()) sum = step(sum, o);
  const auto values = scalars(sum);
  EXPECT_EQ(values.at("train/accuracy"), 0.75);
  EXPECT_FLOAT_EQ(static_cast<float>(values.at("train/learning_rate")), 0.01f);
  EXPECT_NEAR(values.at("spread"), 1.25, 1e-4);
}

TEST(metrics, devices_are_reduced_as_clu_does) {
  std::vector<Train> each;
  for (const ModelOutput& o : clu_outputs()) each.push_back(from_model_output<Train>(o));
  const auto values = scalars(reduce(stack_forest(each)));
  EXPECT_EQ(values.at("accuracy"), 0.75);
  EXPECT_FLOAT_EQ(static_cast<float>(values.at("learning_rate")), 0.015f);
  EXPECT_EQ(message_of<ShapeError>([&] { compute(stack_forest(each)); }),
            "Average: a metric that is computed must be 0-d; got f32[2].");
  EXPECT_THROW(merge(each[0], stack_forest(each)), ShapeError);
  EXPECT_EQ(message_of<ShapeError>([&] { reduce(each[0]); }),
            "reduce: metrics must be stacked along a first axis, of at least 1; got f32[].");
}

TEST(metrics, examples_of_a_mapped_axis_are_gathered) {
  const ModelOutput stacked = stack_forest(clu_outputs());
  const auto gathered = vmap([](const ModelOutput& o) { return gather_from_model_output<Train>(o, "batch"); },
                             {.axis_name = "batch"})(stacked);
  const Train first = tree::map([](const Array& a) { return a(0); }, gathered);
  EXPECT_EQ(scalars(first).at("accuracy"), 0.75);
  EXPECT_FLOAT_EQ(static_cast<float>(scalars(first).at("learning_rate")), 0.015f);
}

TEST(metrics, whole_outputs_are_collected_outside_of_jit) {
  using Kept = Collecting<"labels", "loss">;
  struct Mixed {
    Kept kept;
    Accuracy accuracy;
  };
  auto sum = empty<Mixed>();
  for (const ModelOutput& o : clu_outputs()) sum = merge(sum, from_model_output<Mixed>(o));
  const auto values = compute(sum);
  EXPECT_EQ(values.at("kept/labels").to_vector<std::int32_t>(), (std::vector<std::int32_t>{0, 0, 1, 1}));
  EXPECT_EQ(values.at("kept/loss").to_vector<float>(), (std::vector<float>{4.2f, 1.7f}));
  EXPECT_EQ(values.at("accuracy").item<float>(), 0.75f);
  const Kept one = Kept::from_model_output(clu_outputs()[0]);
  EXPECT_EQ(message_of<ConcretizationError>([&] { jit([](const Kept& a) { return a.merge(a); })(one); }),
            "Collecting: collected outputs must be known when they are merged; got traced ones.");
}

TEST(metrics, whole_outputs_of_devices_are_joined) {
  using Kept = Collecting<"labels", "loss">;
  struct Mixed {
    Kept kept;
    FromOutput<Collecting<"values">, "labels"> labels;
    Accuracy accuracy;
  };
  const auto check = [](const Mixed& m) {
    const auto values = compute(m);
    EXPECT_EQ(values.at("kept/labels").to_vector<std::int32_t>(), (std::vector<std::int32_t>{0, 0, 1, 1}));
    EXPECT_EQ(values.at("kept/loss").to_vector<float>(), (std::vector<float>{4.2f, 1.7f}));
    EXPECT_EQ(values.at("labels/values").to_vector<std::int32_t>(), (std::vector<std::int32_t>{0, 0, 1, 1}));
    EXPECT_EQ(values.at("accuracy").item<float>(), 0.75f);
  };
  std::vector<Mixed> each;
  for (const ModelOutput& o : clu_outputs()) each.push_back(from_model_output<Mixed>(o));
  check(reduce(stack_forest(each)));
  // Where the outputs are only traced.
  const auto gathered = jit(vmap([](const ModelOutput& o) { return gather_from_model_output<Mixed>(o, "batch"); },
                                 {.axis_name = "batch"}))(stack_forest(clu_outputs()));
  check(tree::map([](const Array& a) { return a(0); }, gathered));
  EXPECT_EQ(message_of<ShapeError>([&] { reduce(each[0].kept); }),
            "reduce: metrics must be stacked along a first axis, of at least 1; got i32[2].");
}

TEST(metrics, collecting_does_not_copy_what_it_has) {
  const auto batch = from_model_output<Collecting<"loss">>(clu_outputs()[0]);
  auto sum = empty<Collecting<"loss">>();
  int copies = 0;
  for (int i = 0; i < 1000; ++i) {
    const Array* before = sum.values["loss"].data();
    sum = merge(std::move(sum), batch);
    copies += sum.values["loss"].data() != before;
  }
  EXPECT_EQ(sum.values["loss"].size(), 1000u);
  EXPECT_LT(copies, 20);
}

TEST(metrics, missing_outputs_and_wrong_labels_are_told) {
  EXPECT_EQ(message_of<IndexError>([] { from_model_output<Golden>({{"logits", Array(1.0f)}, {"x", Array(1)}}); }),
            "FromOutput: the model's outputs must have 'loss'; got logits, x.");
  EXPECT_EQ(message_of<IndexError>([] { Accuracy::from_model_output({}); }),
            "Accuracy: the model's outputs must have 'logits'; got none.");
  EXPECT_EQ(message_of<ShapeError>([] {
              Accuracy::from_model_output({{"logits", np::zeros({2, 3})}, {"labels", np::zeros({2, 1}, i32)}});
            }),
            "Accuracy: logits must have one axis more than labels; got f32[2,3] for i32[2,1].");
  EXPECT_EQ(message_of<DTypeError>(
                [] { Accuracy::from_model_output({{"logits", np::zeros({2, 3})}, {"labels", np::zeros({2})}}); }),
            "Accuracy: labels must be integers; got f32[2].");
}

TEST(metrics, collections_are_trees_that_checkpoints_keep) {
  const auto sum = from_model_output<Both>(clu_outputs()[0]);
  EXPECT_EQ(to_bytes(from_bytes(empty<Both>(), to_bytes(sum))), to_bytes(sum));
  EXPECT_EQ(tree::structure(sum).paths()[0], ".train.accuracy.average.total");
}

}  // namespace
}  // namespace weft::train::metrics
