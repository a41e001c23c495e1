{# The rows a unit test gives for one input, as a query with every column of the relation. #}
{% macro get_fixture_sql(rows, column_name_to_data_types) %}
-- Fixture for {{ model.name }}
{% set spelled = {} -%}

{%- if not column_name_to_data_types -%}
    {%- set column_name_to_data_types = {} -%}
    {%- set described = defer_relation if defer_relation and not load_relation(this) else this -%}
    {%- for col in adapter.get_columns_in_relation(described) -%}
        {%- do column_name_to_data_types.update({col.name | lower: col.data_type}) -%}
        {%- do spelled.update({col.name | lower: col.quoted}) -%}
    {%- endfor -%}
    {%- if not column_name_to_data_types -%}
        {%- do exceptions.raise_compiler_error(
            "Unit test input '" ~ model.name ~ "': the columns of " ~ this
            ~ " cannot be read, because it does not exist. Build it first, for example with `dbt run --empty`.") -%}
    {%- endif -%}
{%- endif -%}

{%- set nulls = {} -%}
{%- for name, kind in column_name_to_data_types.items() -%}
    {%- do nulls.update({name: safe_cast('null', kind) | trim}) -%}
{%- endfor -%}

{{- validate_fixture_rows(rows, row_number) -}}

{%- set queries = [] -%}
{%- for given in rows -%}
    {%- set filled = nulls.copy() -%}
    {%- do filled.update(format_row(given, column_name_to_data_types)) -%}
    {%- do queries.append(_fixture_select(filled, spelled)) -%}
{%- endfor -%}
{{- queries | join('\nunion all\n') if queries else _fixture_select(nulls, spelled) ~ '\n    limit 0' -}}
{% endmacro %}

{%- macro _fixture_select(values_by_column, spelled) -%}
    {%- set terms = [] -%}
    {%- for name, value in values_by_column.items() -%}
        {%- do terms.append(value ~ ' as ' ~ spelled.get(name, name)) -%}
    {%- endfor -%}
    {%- do return('select ' ~ terms | join(', ')) -%}
{%- endmacro -%}

{%- macro validate_fixture_rows(rows, row_number) -%}
    {%- do return(adapter.dispatch('validate_fixture_rows', 'dbt')(rows, row_number)) -%}
{%- endmacro -%}

{%- macro default__validate_fixture_rows(rows, row_number) -%}
{%- endmacro -%}
