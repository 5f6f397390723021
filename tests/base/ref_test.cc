#include "weft/base/ref.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weft {
namespace {

struct Node : RefCounted {
  static inline std::atomic<int> live{0};
  int value;
  explicit Node(int v) : value(v) { ++live; }
  virtual ~Node() { --live; }
};
struct Leaf : Node {
  using Node::Node;
};
struct Pooled : RefCounted {
  static inline int destroyed = 0;
  static void destroy(Pooled* p) {
    ++destroyed;
    delete p;
  }
};

TEST(ref, the_last_handle_destroys) {
  {
    Ref<Node> a = make_ref<Node>(5);
    EXPECT_TRUE(a->unique());
    Ref<Node> b = a;
    EXPECT_EQ(a, b);
    EXPECT_FALSE(a->unique());
    a.reset();
    EXPECT_FALSE(a);
    EXPECT_EQ(Node::live, 1);
    EXPECT_EQ(b->value, 5);
    EXPECT_TRUE(b->unique());
  }
  EXPECT_EQ(Node::live, 0);
}

TEST(ref, moving_transfers_without_counting) {
  Ref<Node> a = make_ref<Node>(1);
  Node* p = a.get();
  const Ref<Node> b = std::move(a);
  EXPECT_FALSE(a);  // NOLINT: the state after a move is part of the contract
  EXPECT_EQ(b.get(), p);
  EXPECT_TRUE(b->unique());
}

TEST(ref, assigning_a_handle_to_itself_keeps_the_object) {
  Ref<Node> a = make_ref<Node>(3);
  const Ref<Node>& same = a;
  a = same;
  ASSERT_TRUE(a);
  EXPECT_EQ(a->value, 3);
  EXPECT_TRUE(a->unique());
}

TEST(ref, converts_to_a_base) {
  const Ref<Node> base = make_ref<Leaf>(4);
  EXPECT_EQ(base->value, 4);
  static_assert(!std::is_constructible_v<Ref<Leaf>, Ref<Node>>);
}

TEST(ref, share_adds_a_reference_and_adopt_does_not) {
  Ref<Node> a = make_ref<Node>(1);
  {
    const Ref<Node> b = Ref<Node>::share(a.get());
    EXPECT_FALSE(a->unique());
  }
  EXPECT_TRUE(a->unique());
  const Ref<Node> c = Ref<Node>::adopt(a.release());
  EXPECT_TRUE(c->unique());
  EXPECT_FALSE(Ref<Node>::share(nullptr));
}

TEST(ref, a_type_may_destroy_itself_its_own_way) {
  Pooled::destroyed = 0;
  {
    const Ref<Pooled> a = make_ref<Pooled>();
  }
  EXPECT_EQ(Pooled::destroyed, 1);
}

TEST(ref, counting_is_safe_across_threads) {
  {
    const Ref<Node> shared = make_ref<Node>(9);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([copy = shared] {
        for (int i = 0; i < 10000; ++i) {
          Ref<Node> local = copy;
          const Ref<Node> other = std::move(local);
        }
      });
    for (std::thread& t : threads) t.join();
    EXPECT_TRUE(shared->unique());
  }
  EXPECT_EQ(Node::live, 0);
}

}  // namespace
}  // namespace weft
