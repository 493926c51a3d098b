// Indirect calls: virtual functions of objects in random order, an expression tree, and std::function.
#include "bench.h"
#include <functional>
#include <memory>
#include <vector>

struct Node {
    virtual ~Node() = default;
    virtual uint64_t value(uint64_t x) const = 0;
};

struct Constant : Node {
    uint64_t n;
    explicit Constant(uint64_t v) : n(v) {}
    uint64_t value(uint64_t) const override { return n; }
};

struct Variable : Node {
    uint64_t value(uint64_t x) const override { return x; }
};

struct Binary : Node {
    std::unique_ptr<Node> a, b;
    Binary(std::unique_ptr<Node> l, std::unique_ptr<Node> r) : a(std::move(l)), b(std::move(r)) {}
};

struct Sum : Binary {
    using Binary::Binary;
    uint64_t value(uint64_t x) const override { return a->value(x) + b->value(x); }
};

struct Product : Binary {
    using Binary::Binary;
    uint64_t value(uint64_t x) const override { return a->value(x) * b->value(x + 1); }
};

struct Choice : Binary {
    using Binary::Binary;
    uint64_t value(uint64_t x) const override { return x & 1 ? a->value(x >> 1) : b->value(x >> 1); }
};

static uint32_t seed = 77;

static std::unique_ptr<Node> grow(int depth) {
    uint32_t kind = random32(&seed) % 8;
    if (depth == 0) return kind < 4 ? std::unique_ptr<Node>(new Constant(kind + 3)) : std::unique_ptr<Node>(new Variable());
    auto left = grow(depth - 1), right = grow(depth - 1);
    if (kind < 3) return std::make_unique<Sum>(std::move(left), std::move(right));
    if (kind < 6) return std::make_unique<Product>(std::move(left), std::move(right));
    return std::make_unique<Choice>(std::move(left), std::move(right));
}

int main(int argc, char **argv) {
    std::vector<std::unique_ptr<Node>> trees;
    for (int i = 0; i < 8; i++) trees.push_back(grow(10));
    std::vector<std::function<uint64_t(uint64_t)>> functions;
    for (uint64_t i = 0; i < 16; i++) functions.emplace_back([i](uint64_t x) { return x * (2 * i + 1) ^ i; });
    uint64_t sum = 1;
    for (long round = scaled(argc, argv, 20000); round > 0; round--) {
        sum = sum * 31 + trees[round % 8]->value(sum >> 20);
        for (int i = 0; i < 16; i++) sum = functions[(sum >> 7 ^ i) & 15](sum);
    }
    return finish(sum);
}
