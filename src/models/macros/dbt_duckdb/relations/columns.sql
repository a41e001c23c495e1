{# One statement a column: DuckDB's alter changes one thing. #}
{% macro duckdb__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
    {% for col in add_columns or [] %}
        {% do run_query('alter ' ~ relation.type ~ ' ' ~ relation ~ ' add column '
                        ~ api.Relation.create(identifier=col.name) ~ ' ' ~ col.data_type) %}
    {% endfor %}
    {% for col in remove_columns or [] %}
        {% do run_query('alter ' ~ relation.type ~ ' ' ~ relation ~ ' drop column '
                        ~ api.Relation.create(identifier=col.name)) %}
    {% endfor %}
{% endmacro %}

{# The header runs by itself: the query is put into a describe, which takes no second statement. #}
{% macro duckdb__get_empty_subquery_sql(select_sql, select_sql_header=none) %}
    {%- if select_sql_header is not none -%}
        {%- do run_query(select_sql_header) -%}
    {%- endif -%}
    select * from (
        {{ select_sql }}
    ) as __dbt_sbq
    where false
    limit 0
{% endmacro %}
