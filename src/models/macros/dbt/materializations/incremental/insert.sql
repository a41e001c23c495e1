{% macro get_insert_into_sql(target_relation, temp_relation, dest_columns) %}
    {%- set names = get_quoted_csv(dest_columns | map(attribute='name')) -%}
    insert into {{ target_relation }} ({{ names }})
    (
        select {{ names }}
        from {{ temp_relation }}
    )

{% endmacro %}

{% macro get_quoted_csv(column_names) %}
    {% set quoted = [] %}
    {% for name in column_names %}
        {% do quoted.append(adapter.quote(name)) %}
    {% endfor %}
    {% do return(quoted | join(', ')) %}
{% endmacro %}
