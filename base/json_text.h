#pragma once
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace stash {

/// What nobody will look at in a document, by the names of its members; the elements of an array are as the array is.
/// It saves work and no more: a large text is read as a whole.
struct Skim {
  /// They are null, so that a parent of theirs does not seem to have nothing else.
  std::vector<std::string_view> leave_out = {};
  /// Of the members of other names only the first one is kept, as "", which tells that there are others. "": all are
  /// kept.
  std::string_view only_prefix = {};
  /// An object with one of these as its `name` is read as a whole.
  std::vector<std::string_view> unless_named = {};
  std::map<std::string_view, Skim> members = {};
};

/// A JSON text that has been parsed, of which documents are made piece by piece. Used by one thread.
class JsonText {
 public:
  /// Errors as parse_json. `text` may go afterwards.
  static Result<JsonText> of(std::string_view text);
  JsonText(JsonText&&) noexcept;
  JsonText& operator=(JsonText&&) noexcept;
  ~JsonText();

  /// From now on paths begin at this member. False when there is no such object; then nothing changes.
  bool enter(std::string_view key);
  /// Does take heed a Skim? Not of a large text.
  bool skims() const { return quick_ != nullptr; }
  /// Is nothing there, or null?
  bool is_null(std::initializer_list<std::string_view> path) const;
  /// "" and false for what is missing, or of another type.
  std::string string_at(std::initializer_list<std::string_view> path) const;
  bool bool_at(std::initializer_list<std::string_view> path) const;
  /// What is at `path`, a list of object keys; null when nothing is. Not to be asked for again.
  Json take(std::initializer_list<std::string_view> path, const Skim* skim = nullptr);

 private:
  class Quick;
  explicit JsonText(std::unique_ptr<Quick> quick);
  explicit JsonText(Json whole);

  std::unique_ptr<Quick> quick_;  ///< null: whole_ has it
  Json whole_;
};

}  // namespace stash
