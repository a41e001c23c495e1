#pragma once

#include "jinja/parser.h"

namespace shaduf::jinja {

// One level more while it lasts, so that no text can exhaust the stack.
class Nesting {
public:
    explicit Nesting(Parser& parser) : depth_(parser.depth_) { ++depth_; }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool is_too_deep() const { return depth_ > kDepthMax; }

private:
    static constexpr int kDepthMax = 100;
    int& depth_;
};

}  // namespace shaduf::jinja
