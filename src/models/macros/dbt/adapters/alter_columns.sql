{% macro alter_column_type(relation, column_name, new_column_type) -%}
    {% do return(adapter.dispatch('alter_column_type', 'dbt')(relation, column_name, new_column_type)) %}
{% endmacro %}

{# By a second column that takes the values and then the name. #}
{% macro default__alter_column_type(relation, column_name, new_column_type) -%}
    {%- set old = adapter.quote(column_name) -%}
    {%- set new = adapter.quote(column_name ~ '__dbt_alter') -%}
    {%- set altered = relation.render() -%}
    {% call statement('alter_column_type') %}
        alter table {{ altered }} add column {{ new }} {{ new_column_type }};
        update {{ altered }} set {{ new }} = {{ old }};
        alter table {{ altered }} drop column {{ old }} cascade;
        alter table {{ altered }} rename column {{ new }} to {{ old }}
    {% endcall %}
{% endmacro %}

{% macro alter_relation_add_remove_columns(relation, add_columns = none, remove_columns = none) -%}
    {% do return(adapter.dispatch('alter_relation_add_remove_columns', 'dbt')(relation, add_columns, remove_columns)) %}
{% endmacro %}

{% macro default__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
    {% set changes = [] %}
    {% for col in add_columns or [] %}
        {% do changes.append('add column ' ~ col.quoted ~ ' ' ~ col.expanded_data_type) %}
    {% endfor %}
    {% for col in remove_columns or [] %}
        {% do changes.append('drop column ' ~ col.quoted) %}
    {% endfor %}
    {% do run_query('alter ' ~ relation.type ~ ' ' ~ relation.render() ~ ' ' ~ changes | join(', ')) %}
{% endmacro %}
