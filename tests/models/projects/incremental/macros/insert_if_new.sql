{% macro get_incremental_insert_if_new_sql(arg_dict) %}
    {% set names = get_quoted_csv(arg_dict.dest_columns | map(attribute='name')) %}
    insert into {{ arg_dict.target_relation }} ({{ names }})
    select {{ names }} from {{ arg_dict.temp_relation }} as fresh
    where not exists (
        select 1 from {{ arg_dict.target_relation }} as known
        where known.{{ arg_dict.unique_key }} = fresh.{{ arg_dict.unique_key }}
    )
{% endmacro %}
