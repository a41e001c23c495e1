{% macro duckdb_escape_comment(comment) -%}
    {%- set quote = '$dbt_comment_literal_block$' -%}
    {%- if comment is not string -%}
        {%- do exceptions.raise_compiler_error('A comment is a text, not ' ~ comment) -%}
    {%- elif quote in comment -%}
        {%- do exceptions.raise_compiler_error('A comment may not hold ' ~ quote ~ ', which quotes it') -%}
    {%- endif -%}
    {{ quote ~ comment ~ quote }}
{%- endmacro %}

{% macro duckdb__alter_relation_comment(relation, comment) %}
    comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment(comment) }};
{% endmacro %}

{% macro duckdb__alter_column_comment(relation, column_dict) %}
    {% set present = adapter.get_columns_in_relation(relation) | map(attribute='name') | list %}
    {% for name, documented in column_dict.items() if name in present %}
        comment on column {{ relation }}.{{ adapter.quote(name) if documented['quote'] else name }} is {{ duckdb_escape_comment(documented['description']) }};
    {% endfor %}
{% endmacro %}
