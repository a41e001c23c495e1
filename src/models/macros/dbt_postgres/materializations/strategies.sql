{% macro postgres__get_incremental_default_sql(arg_dict) %}
    {% do return(get_incremental_delete_insert_sql(arg_dict) if arg_dict['unique_key'] else get_incremental_append_sql(arg_dict)) %}
{% endmacro %}

{# A batch replaces the rows of its keys: nothing tells which rows of the table are of its time. #}
{% macro postgres__get_incremental_microbatch_sql(arg_dict) %}
    {% if not arg_dict['unique_key'] %}
        {% do exceptions.raise_compiler_error('The strategy microbatch of PostgreSQL needs a unique_key') %}
    {% endif %}
    {% do return(adapter.dispatch('get_incremental_merge_sql', 'dbt')(arg_dict)) %}
{% endmacro %}
