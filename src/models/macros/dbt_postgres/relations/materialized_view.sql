{% macro postgres__get_create_materialized_view_as_sql(relation, sql) %}
    create materialized view if not exists {{ relation }} as {{ sql }};

    {% set creations = [] %}
    {%- for wanted in config.get('indexes', []) -%}
        {%- do creations.append(get_create_index_sql(relation, wanted)) -%}
    {%- endfor -%}
    {{ creations | join(';') }}

{% endmacro %}

{% macro postgres__drop_materialized_view(relation) -%}
    drop materialized view if exists {{ relation }} cascade
{%- endmacro %}

{% macro postgres__get_rename_materialized_view_sql(relation, new_name) %}
    alter materialized view {{ relation }} rename to {{ new_name }}
{% endmacro %}

{% macro postgres__refresh_materialized_view(relation) %}
    refresh materialized view {{ relation }}
{% endmacro %}

{# Its indexes are what can change without building it anew. #}
{% macro postgres__describe_materialized_view(relation) %}
    {% do return({'indexes': run_query(get_show_indexes_sql(relation))}) %}
{% endmacro %}

{% macro postgres__get_materialized_view_configuration_changes(existing_relation, new_config) %}
    {% set described = postgres__describe_materialized_view(existing_relation) %}
    {% do return(existing_relation.get_materialized_view_config_change_collection(described, new_config.model)) %}
{% endmacro %}

{% macro postgres__get_alter_materialized_view_as_sql(relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation) %}
    {% if configuration_changes.requires_full_refresh %}
        {{ get_replace_sql(existing_relation, relation, sql) }}
    {% else %}
        {{ postgres__update_indexes_on_materialized_view(relation, configuration_changes.indexes) }}
    {% endif %}
{% endmacro %}

{%- macro postgres__update_indexes_on_materialized_view(relation, index_changes) -%}
    {%- do log('Changing the indexes of ' ~ relation) -%}
    {%- set steps = [] -%}
    {%- for change in index_changes -%}
        {%- if change.action == 'drop' -%}
            {%- do steps.append(postgres__get_drop_index_sql(relation, change.context.name)) -%}
        {%- elif change.action == 'create' -%}
            {%- do steps.append(postgres__get_create_index_sql(relation, change.context.as_node_config)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ steps | join(';\n    ') }}
{%- endmacro -%}
