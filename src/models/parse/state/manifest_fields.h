#pragma once

#include "models/manifest.h"

// Which fields of a manifest's resources are kept from one parse to the next, for ArchiveWriter and ArchiveReader: all
// but what is made again when it is asked for (compiled code) or by every command (nodes that run unit tests).
namespace shaduf::models {

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, ModelRef>
void archive_fields(Archive& archive, T& ref) { archive(ref.name, ref.package, ref.version); }

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, SourceRef>
void archive_fields(Archive& archive, T& ref) { archive(ref.source, ref.table); }

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, ColumnProperties>
void archive_fields(Archive& archive, T& column) {
    archive(column.name, column.description, column.data_type, column.quote, column.granularity, column.meta,
            column.constraints, column.extra, column.tags, column.doc_blocks);
}

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, FilePlace>
void archive_fields(Archive& archive, T& place) { archive(place.path, place.original_path, place.line); }

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, Checksum>
void archive_fields(Archive& archive, T& checksum) { archive(checksum.name, checksum.value); }

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, TestMetadata>
void archive_fields(Archive& archive, T& test) {
    archive(test.name, test.macro_package, test.arguments, test.column_name, test.attached_node, test.file_key_name);
}

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, Node>
void archive_fields(Archive& archive, T& node) {
    archive(node.type, node.unique_id, node.package, node.name, node.alias, node.database, node.schema, node.fqn,
            node.place, node.patch_path, node.checksum, node.language, node.config, node.unrendered_config, node.tags,
            node.meta, node.description, node.columns, node.doc_blocks, node.group, node.access, node.constraints,
            node.version, node.latest_version, node.deprecation_date, node.time_spine, node.primary_key, node.raw_code,
            node.refs, node.sources, node.metrics, node.depends_on_nodes, node.depends_on_macros, node.test,
            node.root_path, node.created_at, node.hook_index, node.functions, node.arguments, node.returns);
}

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, SourceTable>
void archive_fields(Archive& archive, T& source) {
    archive(source.unique_id, source.package, source.source_name, source.name, source.identifier, source.database,
            source.schema, source.fqn, source.place, source.config, source.unrendered_config, source.description,
            source.source_description, source.loader, source.source_meta, source.meta, source.tags, source.columns,
            source.doc_blocks, source.quoting, source.freshness, source.external, source.loaded_at_field,
            source.loaded_at_query, source.patch_path, source.created_at, source.unrendered_database,
            source.unrendered_schema);
}

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, Declaration>
void archive_fields(Archive& archive, T& of) {
    archive(of.type, of.unique_id, of.package, of.name, of.fqn, of.place, of.config, of.properties, of.tags, of.refs,
            of.sources, of.metrics, of.depends_on_nodes, of.depends_on_macros, of.created_at);
}

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, UnitTestRows>
void archive_fields(Archive& archive, T& rows) { archive(rows.input, rows.format, rows.rows, rows.fixture); }

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, UnitTest>
void archive_fields(Archive& archive, T& test) {
    archive(test.unique_id, test.package, test.name, test.model, test.version, test.fqn, test.place, test.config,
            test.description, test.given, test.expect, test.overrides, test.depends_on_nodes, test.depends_on_macros,
            test.checksum, test.created_at, test.schema);
}

// What properties in YAML add; the rest is read from the file of the macro.
template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, Macro>
void archive_fields(Archive& archive, T& macro) {
    archive(macro.depends_on_macros, macro.description, macro.meta, macro.docs, macro.arguments, macro.patch_path,
            macro.created_at);
}

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, DocBlock>
void archive_fields(Archive& archive, T& doc) {
    archive(doc.unique_id, doc.package, doc.name, doc.place, doc.contents);
}

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, Group>
void archive_fields(Archive& archive, T& group) {
    archive(group.unique_id, group.package, group.name, group.place, group.owner, group.description, group.config);
}

}  // namespace shaduf::models
