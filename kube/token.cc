#include "kube/token.h"

#include <fmt/format.h>

#include <fstream>

namespace stash::kube {

Token::Token(const Config& config) : file_(config.token.empty() ? config.token_file : ""), token_(config.token) {}

Result<std::string> Token::get(std::chrono::steady_clock::time_point now) {
  if (file_.empty() || (fresh_ && now - read_at_ < kMaxAge)) return token_;
  std::ifstream file(file_);
  std::string read;
  file >> read;  // one word, which also drops the line's end
  if (!read.empty()) {
    token_ = std::move(read);
    read_at_ = now;
    fresh_ = true;
  } else if (token_.empty()) {
    return fail(ErrorCode::unreachable, fmt::format("{}: no token can be read", file_));
  }
  return token_;
}

void Token::distrust() { fresh_ = false; }

}  // namespace stash::kube
