{# Partitions and order of tables of DuckLake, from the config; other tables have neither. #}

{% macro duckdb__get_partitioned_by(relation, temporary) -%}
    {%- set columns = _duckdb_layout_columns(relation, temporary, 'partitioned_by', 'partition_by') -%}
    {%- do return(columns | join(', ') if columns else none) -%}
{%- endmacro %}

{% macro duckdb__alter_table_set_partitioned_by(relation, partitioned_by) -%}
    alter table {{ relation }} set partitioned by ({{ partitioned_by }});
{%- endmacro %}

{% macro duckdb__get_sorted_by(relation, temporary) -%}
    {%- set columns = [] -%}
    {%- for name in _duckdb_layout_columns(relation, temporary, 'sorted_by', 'sort_by') or [] -%}
        {%- do columns.append(adapter.quote(name | replace('"', '""'))) -%}
    {%- endfor -%}
    {%- do return(columns | join(', ') if columns else none) -%}
{%- endmacro %}

{% macro duckdb__alter_table_set_sorted_by(relation, sorted_by) -%}
    alter table {{ relation }} set sorted by ({{ sorted_by }});
{%- endmacro %}

{# The configured columns for the final table of a model, or none. #}
{% macro _duckdb_layout_columns(relation, temporary, key, old_key) -%}
    {%- set given = config.get(old_key) if config.get(key) in (none, '') else config.get(key) -%}
    {%- if temporary or given in (none, '') -%}
        {%- do return(none) -%}
    {%- endif -%}

    {%- set keys = key ~ '/' ~ old_key -%}
    {%- set columns = normalize_string_or_list(given, keys) -%}
    {%- if not columns -%}
        {%- do exceptions.raise_compiler_error(keys ~ ' names no column') -%}
    {%- endif -%}

    {%- set staged = this is defined and config.get('materialized') in ('table', 'incremental')
                     and relation.identifier and this.identifier and relation.identifier != this.identifier -%}
    {%- if staged -%}
        {%- do return(none) -%}
    {%- endif -%}
    {%- if not adapter.is_ducklake(relation) -%}
        {%- do adapter.warn_once(keys ~ ' has no effect on ' ~ relation ~ ', which is not a table of DuckLake') -%}
        {%- do return(none) -%}
    {%- endif -%}
    {%- do return(columns) -%}
{%- endmacro %}
