{% macro duckdb__get_incremental_default_sql(arg_dict) %}
    {% do return(get_incremental_delete_insert_sql(arg_dict)) %}
{% endmacro %}

{% macro duckdb__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {%- set names = get_quoted_csv(dest_columns | map(attribute='name')) -%}
    {%- set limits = normalize_incremental_predicates(incremental_predicates) -%}
    {% if unique_key is string and unique_key %}
        delete from {{ target }}
        where ({{ unique_key }}) in (
            select ({{ unique_key }})
            from {{ source }}
        )
        {%- for limit in limits %}
            and {{ limit }}
        {%- endfor -%};
    {% elif unique_key %}
        {%- set matches = [] -%}
        {%- for part in unique_key -%}
            {%- do matches.append(source ~ '.' ~ part ~ ' = DBT_INCREMENTAL_TARGET.' ~ part) -%}
        {%- endfor %}
        delete from {{ target }} as DBT_INCREMENTAL_TARGET
        using {{ source }}
        where (
            {{ (matches + limits) | join(' and ') }}
        );
    {% endif %}

    insert into {{ target }} ({{ names }})
    (
        select {{ names }}
        from {{ source }}
    )
{%- endmacro %}
