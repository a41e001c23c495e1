#include "models/yaml/render_tree.h"

#include <string>
#include <vector>

namespace shaduf::models {
namespace {

class TreeRenderer {
public:
    TreeRenderer(const RenderText& render, const RendersAt& renders_at) : render_(render), renders_at_(renders_at) {}

    Result<void> render(const YamlNode& node, YamlBuilder& out) {
        out.at({node.line(), node.column()});
        switch (node.kind()) {
            case YamlKind::text: return render_text(node, out);
            case YamlKind::date:
            case YamlKind::datetime:
                if (is_rendered()) {
                    out.add_text(node.text());
                } else {
                    out.add(node);
                }
                return {};
            case YamlKind::list:
                out.begin_list();
                for (const YamlNode& item : node.items()) TRY(render(item, out));
                out.end_list();
                return {};
            case YamlKind::map:
                out.begin_map();
                for (const YamlEntry& entry : node.entries()) {
                    out.add(entry.key);
                    keys_.push_back(entry.key);
                    TRY(render(entry.value, out));
                    keys_.pop_back();
                }
                out.end_map();
                return {};
            default: out.add(node); return {};
        }
    }

private:
    bool is_rendered() const { return !renders_at_ || renders_at_(keys_); }

    Result<void> render_text(const YamlNode& node, YamlBuilder& out) {
        const std::string_view text = node.text();
        const bool jinja = has_jinja(text);
        if (!jinja && !text.ends_with('\n') && text.find('\r') == std::string_view::npos) {
            out.add(node);
            return {};
        }
        if (!is_rendered()) {
            out.add(node);
            return {};
        }
        if (jinja) return render_(node, keys_, out);
        // What Jinja itself does with plain text.
        std::string plain;
        for (size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
            plain += text[i] == '\r' ? '\n' : text[i];
        }
        if (plain.ends_with('\n')) plain.pop_back();
        out.add_text(plain);
        return {};
    }

    const RenderText& render_;
    const RendersAt& renders_at_;
    std::vector<YamlNode> keys_;
};

}  // namespace

bool has_jinja(std::string_view text) {
    for (size_t i = 0; i + 1 < text.size(); ++i) {
        const char a = text[i];
        const char b = text[i + 1];
        if (a == '{' && (b == '{' || b == '%' || b == '#')) return true;
        if (b == '}' && (a == '}' || a == '%' || a == '#')) return true;
    }
    return false;
}

Result<YamlTree> render_tree(const YamlTree& tree, const RenderText& render, const RendersAt& renders_at) {
    YamlBuilder builder;
    builder.keep(tree);
    TRY(TreeRenderer(render, renders_at).render(tree.root(), builder));
    return builder.finish();
}

}  // namespace shaduf::models
