#include "base/json_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

namespace stash {
namespace {

constexpr int kMaxDepth = 512;

// Looks at brackets outside of strings only. For text that is no JSON the answer does not matter: the parser refuses
// it.
bool too_deep(std::string_view text) {
  // Most documents have too few brackets for that, and counting is much quicker than following them.
  if (std::ranges::count(text, '[') + std::ranges::count(text, '{') <= kMaxDepth) return false;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

// Larger ones take simdjson a dozen times their size besides, for a gain that nobody waits for.
constexpr std::size_t kQuick = 64u << 10;

template <class Value>
Value known(const simdjson::simdjson_result<Value>& result) {
  return result.value_unsafe();
}

bool is_among(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Of a key twice the last counts.
std::optional<simdjson::dom::element> member_of(const simdjson::dom::element& parent, std::string_view name) {
  std::optional<simdjson::dom::element> found;
  if (!parent.is_object()) return found;
  for (const auto [key, value] : known(parent.get_object())) {
    if (key == name) found = value;
  }
  return found;
}

std::optional<simdjson::dom::element> element_at(simdjson::dom::element here,
                                                 std::initializer_list<std::string_view> path) {
  for (const std::string_view key : path) {
    const auto found = member_of(here, key);
    if (!found) return std::nullopt;
    here = *found;
  }
  return here;
}

/// Makes documents, of what is not to be left out.
class Copier {
 public:
  static Json copy(const simdjson::dom::element& from, const Skim* skim) {
    using simdjson::dom::element_type;
    switch (from.type()) {
      case element_type::OBJECT:
        return skim == nullptr || is_exempt(from, *skim) ? whole(known(from.get_object()))
                                                         : skimmed(known(from.get_object()), *skim);
      case element_type::ARRAY:
        return elements(known(from.get_array()), skim);
      case element_type::STRING:
        return known(from.get_string());
      case element_type::INT64:
        // As nlohmann's parser: what has no sign is unsigned.
        if (const std::int64_t number = known(from.get_int64()); number < 0) return number;
        return static_cast<std::uint64_t>(known(from.get_int64()));
      case element_type::UINT64:
        return known(from.get_uint64());
      case element_type::DOUBLE:
        return known(from.get_double());
      case element_type::BOOL:
        return known(from.get_bool());
      case element_type::NULL_VALUE:
        return nullptr;
    }
    return nullptr;
  }

 private:
  static bool is_exempt(const simdjson::dom::element& from, const Skim& skim) {
    if (skim.unless_named.empty()) return false;
    const auto name = member_of(from, "name");
    return name && name->is_string() && is_among(skim.unless_named, known(name->get_string()));
  }

  static void put(Json::object_t& members, std::string_view key, Json value) {
    // Go writes maps in the order of their keys, so the end is often the right place. Of a key twice the last counts.
    if (members.empty() || members.rbegin()->first < key) {
      members.emplace_hint(members.end(), key, std::move(value));
    } else {
      members.insert_or_assign(std::string(key), std::move(value));
    }
  }

  static Json whole(const simdjson::dom::object& from) {
    Json to(Json::value_t::object);
    auto& members = to.get_ref<Json::object_t&>();
    for (const auto [key, value] : from) put(members, key, copy(value, nullptr));
    return to;
  }

  static Json skimmed(const simdjson::dom::object& from, const Skim& skim) {
    Json to(Json::value_t::object);
    auto& members = to.get_ref<Json::object_t&>();
    bool others = false;
    for (const auto [key, value] : from) {
      if (is_among(skim.leave_out, key)) {
        put(members, key, nullptr);
        continue;
      }
      if (!key.starts_with(skim.only_prefix)) {
        if (!std::exchange(others, true)) put(members, key, "");
        continue;
      }
      const auto deeper = skim.members.find(key);
      put(members, key, copy(value, deeper == skim.members.end() ? nullptr : &deeper->second));
    }
    return to;
  }

  static Json elements(const simdjson::dom::array& from, const Skim* skim) {
    Json to(Json::value_t::array);
    auto& elements = to.get_ref<Json::array_t&>();
    elements.reserve(from.size());
    for (const simdjson::dom::element element : from) elements.push_back(copy(element, skim));
    return to;
  }
};

// The parser that does not throw does not say where it stopped either; this one keeps only that.
class ErrorPosition : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*elements*/) override { return true; }
  bool key(string_t& /*value*/) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t /*elements*/) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    byte = position;
    return false;
  }

  std::size_t byte = 0;
};

}  // namespace

/// A text that simdjson takes. Not to be moved, for the document is in the parser.
class JsonText::Quick {
  /// A parser, which is as dear to make as a small text to read. One is kept for whoever comes next: one for each
  /// thread would keep what its largest text so far needed, and the controller has many threads.
  class ParserLoan {
   public:
    ParserLoan() : parser_(spare().exchange(nullptr)) {
      if (!parser_) parser_ = std::make_unique<simdjson::dom::parser>();
    }
    ~ParserLoan() {
      constexpr std::size_t kKept = 16u << 10;
      if (parser_->capacity() > kKept) return;
      // Another one may have come back in the meantime.
      parser_.reset(spare().exchange(parser_.release()));
    }
    ParserLoan(const ParserLoan&) = delete;
    ParserLoan& operator=(const ParserLoan&) = delete;

    simdjson::dom::parser* operator->() const { return parser_.get(); }

   private:
    static std::atomic<simdjson::dom::parser*>& spare() {
      static std::atomic<simdjson::dom::parser*> kept;
      return kept;
    }

    std::unique_ptr<simdjson::dom::parser> parser_;
  };

 public:
  /// null: it does not take it, which may be for a limit of its own.
  static std::unique_ptr<Quick> of(std::string_view text) {
    if (text.empty() || text.size() > kQuick) return nullptr;
    auto quick = std::make_unique<Quick>();
    auto& parser = quick->parser_;
    if (parser->capacity() < text.size() && parser->allocate(text.size(), kMaxDepth) != simdjson::SUCCESS)
      return nullptr;
    if (parser->parse(text.data(), text.size()).get(quick->root_) != simdjson::SUCCESS) return nullptr;
    return quick;
  }

  const simdjson::dom::element& root() const { return root_; }
  bool enter(std::string_view key) {
    const auto found = member_of(root_, key);
    if (!found || !found->is_object()) return false;
    root_ = *found;
    return true;
  }

 private:
  ParserLoan parser_;
  simdjson::dom::element root_;
};

JsonText::JsonText(std::unique_ptr<Quick> quick) : quick_(std::move(quick)) {}
JsonText::JsonText(Json whole) : whole_(std::move(whole)) {}
JsonText::JsonText(JsonText&&) noexcept = default;
JsonText& JsonText::operator=(JsonText&&) noexcept = default;
JsonText::~JsonText() = default;

Result<JsonText> JsonText::of(std::string_view text) {
  if (auto quick = Quick::of(text)) return JsonText(std::move(quick));
  if (too_deep(text)) return fail(ErrorCode::invalid, fmt::format("JSON nested deeper than {} levels", kMaxDepth));
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_discarded()) return JsonText(std::move(value));
  ErrorPosition position;
  Json::sax_parse(text, &position);
  return fail(ErrorCode::invalid,
              fmt::format("not JSON, at byte {} of {}", std::min(position.byte, text.size()), text.size()));
}

bool JsonText::is_null(std::initializer_list<std::string_view> path) const {
  if (quick_) {
    const auto found = element_at(quick_->root(), path);
    return !found || found->is_null();
  }
  const Json* found = at(whole_, path);
  return found == nullptr || found->is_null();
}

bool JsonText::enter(std::string_view key) {
  if (quick_) return quick_->enter(key);
  const Json* found = at(whole_, {key});
  if (found == nullptr || !found->is_object()) return false;
  whole_ = Json(std::move(whole_.find(key).value()));
  return true;
}

std::string JsonText::string_at(std::initializer_list<std::string_view> path) const {
  if (!quick_) return stash::string_at(whole_, path);
  const auto found = element_at(quick_->root(), path);
  return found && found->is_string() ? std::string(known(found->get_string())) : "";
}

bool JsonText::bool_at(std::initializer_list<std::string_view> path) const {
  if (!quick_) return stash::bool_at(whole_, path);
  const auto found = element_at(quick_->root(), path);
  return found && found->is_bool() && known(found->get_bool());
}

Json JsonText::take(std::initializer_list<std::string_view> path, const Skim* skim) {
  if (quick_) {
    const auto found = element_at(quick_->root(), path);
    return found ? Copier::copy(*found, skim) : Json();
  }
  Json* here = &whole_;
  for (const std::string_view key : path) {
    const auto found = here->is_object() ? here->find(key) : here->end();
    if (found == here->end()) return {};
    here = &*found;
  }
  return std::exchange(*here, Json());
}

Result<Json> parse_json(std::string_view text) {
  TRY(JsonText parsed, JsonText::of(text));
  return parsed.take({});
}

}  // namespace stash
